"""One exhibit: an incident as a case of the validation, its healthy twin, and the load that came then."""

from dataclasses import dataclass, replace

from case import Case


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    folder: str
    """Its own, with its page."""
    incident: Case
    twin: Case
    """The same service as it was mended: it holds the load."""
    load: int
    """That came in the incident: connections, or arrivals a second where the breaking is a storm."""
    fleet: str = ""
    """Server that is broken instead: the fleet of which the measured target is one instance."""
    instances: int = 1
    """That share what is broken."""
    holds_s: int = 0
    """How long a twin has to hold the load, where what gives out gives out with time."""
    abstains_with: tuple[str, ...] = ()
    """What an answer has to say where the number cannot be known from a quarter of the load."""

    def scenes(self):
        """Return what is measured, by its name."""
        return {"incident": self.incident, "twin": self.twin}

    def breaking(self, scene):
        """Return what is broken of a scene."""
        case = self.scenes()[scene]
        if not self.fleet:
            return case
        options = ("--tasks", str(case.tasks), *case.options)
        return replace(
            case,
            server=self.fleet,
            options=options,
            tasks=0,
            expected=case.expected * self.instances,
        )
