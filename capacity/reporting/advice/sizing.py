"""How many instances a demand takes, as a section."""

from capacity.domain import units
from capacity.domain.answers.sizing import SizedHost, Sizing, Unanswered
from capacity.domain.words import RESOURCES
from capacity.reporting.document import Cell, Row, Section, Table, cells
from capacity.reporting.verdict import mix_in_words

_ANCHOR = "sizing"
_HEADING = "Instances for the demand"
_COLUMNS = (
    "Host type",
    "Instances",
    "Price per month",
    "Safe capacity per instance",
    "Bottleneck",
    "Connections per instance",
    "Utilization at peak",
    "Utilization after loss",
)


def unanswered(anchor: str, heading: str, why: Unanswered) -> Section:
    """Return a section that says why there is no answer, and what would make one possible."""
    return Section(anchor=anchor, heading=heading, paragraphs=(why.reason, why.remedy))


def sizing_section(sizing: Sizing | Unanswered) -> Section:
    if isinstance(sizing, Unanswered):
        return unanswered(_ANCHOR, _HEADING, sizing)
    return Section(
        anchor=_ANCHOR,
        heading=_HEADING,
        paragraphs=(
            (
                f"Demand {sizing.demand} at {units.moment(sizing.at)}:"
                f" {units.middle(sizing.connections)} connections"
                f" ({units.interval(sizing.connections)}). Sized for the upper end of the demand with"
                " the safe capacity."
            ),
            f"Workload: {mix_in_words(sizing.mix)}.",
            _cheapest(sizing),
            (
                "CPU scales with cores and their speed, the event loop with core speed only, memory and"
                " network with the host type. All other limits are as measured or as given in the"
                " host catalogue."
            ),
        ),
        table=Table(
            columns=_COLUMNS,
            rows=(
                *(_row(host) for host in sizing.hosts),
                *(_refused(name, why) for name, why in sizing.unsized.items()),
            ),
            numeric=frozenset({1, 2, 3, 5, 6, 7}),
        ),
    )


def price(amount: float, currency: str) -> str:
    """Return *amount* with its currency, with cents only where they matter."""
    digits = units.count(amount) if amount >= 100 else units.number(amount)
    return f"{digits} {currency}"


def _cheapest(sizing: Sizing) -> str:
    best = next((host for host in sizing.hosts if host.host == sizing.cheapest), None)
    if best is None or best.price_per_month is None:
        return "No price to compare: give a host catalogue with price_per_month (--hosts)."
    return (
        f"Cheapest: {units.count(best.instances)} × {best.host},"
        f" {price(best.price_per_month, best.currency)} per month."
    )


def _row(host: SizedHost) -> Row:
    first = host.walls[0]
    reserve = (
        f"{units.count(host.survivors)} left after losing {units.count(host.lost)}"
        if host.lost
        else ""
    )
    return (
        Cell(text=host.host),
        Cell(text=units.count(host.instances), note=reserve),
        Cell(
            text="no price"
            if host.price_per_month is None
            else price(host.price_per_month, host.currency)
        ),
        Cell(
            text=units.count(host.safe_connections),
            note=f"{units.count(host.usable_connections)} after headroom",
        ),
        Cell(
            text=RESOURCES[host.binding],
            note=f"{units.amount(first.limit, host.binding)}, {first.origin}",
        ),
        Cell(
            text=units.count(host.connections_at_peak),
            note=f"{units.count(host.connections_after_loss)} after loss" if host.lost else "",
        ),
        Cell(text=units.share(host.utilization_at_peak)),
        Cell(text=units.share(host.utilization_after_loss)),
    )


def _refused(name: str, why: Unanswered) -> Row:
    return (
        *cells(name, "none", "", ""),
        Cell(text=why.reason, note=why.remedy),
        *cells("", "", ""),
    )
