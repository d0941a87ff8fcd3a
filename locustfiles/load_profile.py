"""The one load shape: offers whatever the chosen profile says is due."""

from locust import LoadTestShape

from capacity.loadgen.plugin import install, session_of

install()


class LoadProfile(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        """Return users and spawn rate, or None at the end."""
        assert self.runner is not None
        return session_of(self.runner.environment).tick()
