"""From the `agent` section of a target file to the source of samples that it names."""

from capacity.settings.target import Target
from capacity.sources.agent import AgentClient
from capacity.sources.local import LocalSampler
from capacity.sources.metrics.exporters import ExporterScraper
from capacity.sources.metrics.prometheus import PrometheusReader
from capacity.sources.pushed import pushed_to
from capacity.sources.source import Source


def open_source(target: Target) -> Source | None:
    """Return where the target's samples come from; None when the target names nothing.

    Raises ConfigError, and PreflightError when what is named cannot be opened here.
    """
    agent = target.agent
    if agent is None:
        return None
    if agent.listen is not None:
        return pushed_to(agent, agent.listen)
    if agent.prometheus is not None:
        return PrometheusReader(agent.prometheus)
    if agent.exporters is not None:
        return ExporterScraper(agent.exporters)
    if agent.local is not None:
        return LocalSampler(agent.local.port)
    assert agent.url is not None, "a checked section names one origin"
    return AgentClient(agent.url, agent.token_file, agent.ca_file)
