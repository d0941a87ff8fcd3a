"""Step by step: what was offered and measured, what failed, and how long things took."""

from capacity.domain import units
from capacity.domain.observation import Quantiles, StepObservation
from capacity.domain.run import RunRecord
from capacity.planning.evidence.unserved_steps import unserved_statement
from capacity.reporting.document import Cell, Row, Section, Table, cells
from capacity.reporting.private_figures import private_failures, private_held
from capacity.reporting.words import NOT_MEASURED, reason

HOW_TO_READ = (
    "Milliseconds as p50 / p95 / p99. Delivery delay runs from the target's own timestamp to the "
    "receipt by the generator's kernel (a sample of connections), and to the read by the generator, "
    "which includes the generator's own queueing. Latency runs from the scheduled start of a request."
)

PHASES = {
    "dns": "DNS, ms",
    "tcp": "TCP, ms",
    "proxy": "Proxy CONNECT, ms",
    "tls": "TLS, ms",
    "upgrade": "WebSocket upgrade, ms",
    "subscription": "Subscription, ms",
    "first_data": "First update, ms",
}
"""Phases of opening a connection in their order -> what their column is called."""
HOW_A_CONNECTION_OPENS = (
    "Milliseconds as p50 / p95 / p99 of each phase, over the whole step. Subscription runs from the "
    "request to the last confirmation; first update starts at the same moment."
)
HOW_A_POLL_IS_READ = (
    "On the plateau: polls answered, how many of them 304 Not Modified, and the age of the data when "
    "read (by the target's own timestamp, p50 / p95 / p99). Over the whole step: the phases of opening "
    "connections for polls, one per poller or, if the target file says so, one per poll."
)

HOW_AN_ORDER_ENDS = (
    "Requests of traders on the plateau. Refused: the target said no. Unknown outcome: sent, and no "
    "answer tells whether it was done (time-out, lost connection, 5xx). Not sent: no connection or no "
    "login. Latency, p50 / p95 / p99, runs from the scheduled start to the answer, what it waited for "
    "included. Traders come along in every step, so that their cost is part of a connection's."
)


def latency_section(record: RunRecord) -> Section:
    heading = "Delivery delay, request latency and handshake time by step"
    rows = tuple(
        (
            Cell(text=units.step_number(step.index)),
            Cell(text=_connections(step)),
            _quantiles(step.arrival_delay),
            _quantiles(step.delivery_delay),
            _quantiles(step.request_latency),
            _quantiles(step.handshake_time),
        )
        for step in record.steps
    )
    if not rows:
        return Section(anchor="latency", heading=heading, paragraphs=("No step was recorded.",))
    return Section(
        anchor="latency",
        heading=heading,
        paragraphs=(HOW_TO_READ,),
        table=Table(
            columns=(
                "Step",
                "Connections",
                "Delay to kernel receipt, ms",
                "Delay to generator read, ms",
                "Request latency, ms",
                "Handshake time, ms",
            ),
            rows=rows,
            numeric=frozenset({0, 1, 2, 3, 4, 5}),
        ),
    )


def opening_section(record: RunRecord) -> Section:
    """Return the table with a column for each phase that was measured in any step."""
    anchor, heading = "opening", "Connection setup"
    steps = [step for step in record.steps if step.opening]
    phases = [phase for phase in PHASES if any(phase in step.opening for step in steps)]
    if not phases:
        return Section(anchor=anchor, heading=heading, paragraphs=("No phase was measured.",))
    return Section(
        anchor=anchor,
        heading=heading,
        paragraphs=(HOW_A_CONNECTION_OPENS,),
        table=Table(
            columns=("Step", "Opened", *(PHASES[phase] for phase in phases)),
            rows=tuple(
                (
                    *cells(units.step_number(step.index), units.count(step.connects)),
                    *(_quantiles(step.opening.get(phase)) for phase in phases),
                )
                for step in steps
            ),
            numeric=frozenset(range(len(phases) + 2)),
        ),
    )


def polls_section(record: RunRecord) -> Section:
    """Return the table of the steps that polled, with a column for each phase that was measured."""
    anchor, heading = "polls", "REST polls"
    steps = [step for step in record.steps if step.request_latency or step.request_opening]
    if not steps:
        return Section(anchor=anchor, heading=heading, paragraphs=("No poll was answered.",))
    phases = [phase for phase in PHASES if any(phase in step.request_opening for step in steps)]
    return Section(
        anchor=anchor,
        heading=heading,
        paragraphs=(HOW_A_POLL_IS_READ,),
        table=Table(
            columns=(
                "Step",
                "Answered",
                "Not modified",
                "Age of data, ms",
                *(PHASES[phase] for phase in phases),
            ),
            rows=tuple(
                (
                    *cells(
                        units.step_number(step.index),
                        units.count(step.request_latency.count if step.request_latency else 0),
                        units.count(step.not_modified),
                    ),
                    _quantiles(step.body_age),
                    *(_quantiles(step.request_opening.get(phase)) for phase in phases),
                )
                for step in steps
            ),
            numeric=frozenset(range(len(phases) + 4)),
        ),
    )


def orders_section(record: RunRecord) -> Section:
    """Return the table of what became of traders' requests: a row for each kind and way of a step."""
    anchor, heading = "orders", "Orders"
    rows = tuple(
        (
            *cells(
                units.step_number(step.index),
                operation,
                way,
                units.count(figures.answered),
                units.count(figures.refused),
                units.count(figures.unknown),
                units.count(figures.not_sent),
            ),
            _quantiles(figures.latency),
        )
        for step in record.steps
        for kind, figures in step.orders.items()
        for operation, _, way in (kind.partition("_"),)
    )
    return Section(
        anchor=anchor,
        heading=heading,
        paragraphs=(HOW_AN_ORDER_ENDS,),
        table=Table(
            columns=(
                "Step",
                "Request",
                "Over",
                "Answered",
                "Refused",
                "Unknown outcome",
                "Not sent",
                "Latency, ms",
            ),
            rows=rows,
            numeric=frozenset({0, 3, 4, 5, 6, 7}),
        ),
    )


def _connections(step: StepObservation) -> str:
    return units.count(step.load.connections) if step.load is not None else "no plateau"


def _quantiles(found: Quantiles | None) -> Cell:
    if found is None:
        return Cell(text=NOT_MEASURED)
    values = (found.p50_s, found.p95_s, found.p99_s)
    return Cell(
        text=" / ".join(units.milliseconds(value) for value in values),
        note=f"n = {units.count(found.count)}, max {units.duration(found.max_s)}",
    )


def steps_section(record: RunRecord) -> Section:
    heading = "Steps: offered and measured"
    planned, done = len(record.manifest.steps), len(record.steps)
    notes = []
    if done < planned:
        notes.append(f"{planned - done} of {planned} planned steps were not recorded.")
    if not record.steps:
        return Section(
            anchor="steps", heading=heading, paragraphs=("No step was recorded.", *notes)
        )
    return Section(
        anchor="steps",
        heading=heading,
        paragraphs=tuple(notes),
        table=Table(
            columns=(
                "Step",
                "Offered",
                "Measured on the plateau",
                "Peak open",
                "Handshakes",
                "Failures",
                "Lost",
                "Sequence gaps",
                "Status",
            ),
            rows=tuple(_step(step) for step in record.steps),
            numeric=frozenset({0, 3, 4, 6, 7}),
        ),
    )


def _step(step: StepObservation) -> Row:
    offered, failed = step.step, sorted(step.failures.items(), key=lambda item: -item[1])
    extent = "full workload" if offered.is_mix else "partial workload"
    return (
        Cell(text=units.step_number(step.index)),
        Cell(
            text=units.counted(offered.connections, "connection"),
            note=(
                f"{units.counted(offered.subscriptions_per_connection, 'subscription')} each,"
                f" {units.rate(offered.requests_per_s, 'requests')}; {extent}"
            ),
        ),
        _measured(step),
        Cell(text=units.count(step.connections_peak)),
        Cell(text=units.count(step.connects)),
        Cell(
            text="; ".join(f"{reason(name)} {units.count(n)}" for name, n in failed) or "none",
            note=private_failures(step),
        ),
        Cell(text=units.count(step.lost), note=unserved_statement(step)),
        Cell(
            text=units.count(step.gaps),
            note=_seen(step),
        ),
        _use(step),
    )


def _seen(step: StepObservation) -> str:
    """Return how many of the updates a gap would have been seen before, and what was no update."""
    notes = []
    if step.updates and step.numbered is not None:
        notes.append(
            f"checked {units.count(step.numbered)} of {units.counted(step.updates, 'update')}"
            if step.numbered
            else "not numbered: no gap could be seen"
        )
    if step.mismatched:
        notes.append(f"{units.count(step.mismatched)} by a checksum that does not fit")
    if step.unmatched:
        notes.append(units.counted(step.unmatched, "unmatched frame"))
    return "; ".join(notes)


def _measured(step: StepObservation) -> Cell:
    if step.load is None:
        return Cell(text="no plateau")
    return Cell(
        text=units.counted(step.load.connections, "connection"),
        note=(
            f"{private_held(step)}{units.rate(step.load.deliveries_per_s, 'deliveries')}"
            f" ({units.size(step.load.delivered_bytes_per_s)}/s),"
            f" {units.rate(step.load.requests_per_s, 'requests')},"
            f" {units.rate(step.load.handshakes_per_s, 'handshakes')}"
            + (
                f", {units.rate(step.load.orders_per_s, 'orders')}"
                if step.load.orders_per_s
                else ""
            )
        ),
    )


def _use(step: StepObservation) -> Cell:
    if step.void is not None:
        return Cell(text="void", note=step.void)
    if step.plateau_started_at is None:
        return Cell(text="not reached", note="the offered connections did not open in time")
    return Cell(text="used")
