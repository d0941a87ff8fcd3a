"""One exhibit: an incident as a case of the validation, its healthy twin, and the load that came then."""

from dataclasses import dataclass

from case import Case


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    folder: str
    """Its own, with its page."""
    title: str
    source: str
    """Where the incident is told in public."""
    incident: Case
    twin: Case
    """The same service as it was mended: it holds the load."""
    load: int
    """That came in the incident: connections, or arrivals a second where the breaking is a storm."""
    abstains_with: tuple[str, ...] = ()
    """What an answer has to say where the number cannot be known from a quarter of the load."""

    def scenes(self):
        """Return what is measured, by its name: before the deploy comes what was well."""
        return {"twin": self.twin, "incident": self.incident}
