"""A search for the limit of a target, as a whole run."""

import runpy
from pathlib import Path

LOCAL_RUNS = runpy.run_path(str(Path(__file__).with_name("local_runs.py")))
_quick_and_with_limits_as_before = LOCAL_RUNS["_quick_and_with_limits_as_before"]
two_levels = LOCAL_RUNS["two_levels"]
start_run = LOCAL_RUNS["start_run"]
end_of = LOCAL_RUNS["end_of"]
at_plateau = LOCAL_RUNS["at_plateau"]


class TestSearch:
    """For the most connections that a real exchange admits."""

    def trials(self, record):
        return [
            (event.detail["connections"], event.detail["failure"])
            for event in record.events
            if event.kind == "trial"
        ]

    def test_the_limit_is_found_and_named_after_the_target_was_relieved(
        self, start_exchange, target_file, start_run
    ):
        exchange = start_exchange("--max-connections", "5")
        settings = two_levels(2, 8, ramp_timeout_s=5)
        run = start_run(target_file(exchange, rest=None), settings)
        record = run.to_its_end()
        kind, detail = end_of(record)

        ends = (kind, detail["last_passing"], detail["first_failing"])
        assert ("finished", 5, 6) == ends, detail["reason"]
        assert "5 connections were held, 6 failed: 5 of 6 connections were open" in detail["reason"]
        assert ("not_all_open", 5, 6) == (
            detail["binding_slo"]["condition"],
            detail["binding_slo"]["number"],
            detail["binding_slo"]["bound"],
        )
        assert [(2, None), (8, "not_all_open"), (5, None), (6, "not_all_open")] == self.trials(
            record
        )
        assert [2, 8, 1, 5, 6] == [step.step.connections for step in record.steps]
        assert 0 == run.controller.exit_code

    def test_a_target_that_does_not_recover_ends_the_search_with_what_it_found(
        self, start_exchange, target_file, start_run
    ):
        exchange = start_exchange()
        run = start_run(target_file(exchange, rest=None), two_levels(2, 4, ramp_timeout_s=1))
        run.until(at_plateau(1))
        exchange.process.kill()
        kind, detail = end_of(run.to_its_end())

        assert ("aborted", 4, 2) == (kind, detail["exit_code"], detail["last_passing"])
        assert "the target did not recover: 0 of 1 connection" in detail["reason"]

    def test_an_objective_can_be_what_binds(self, exchange, target_file, start_run):
        objective = {"delivery_delay": {"quantile": 0.5, "limit_s": 1e-6}}
        run = start_run(target_file(exchange, rest=None, slo=objective), two_levels(2, 4))
        kind, detail = end_of(run.to_its_end())

        assert ("finished", None, 1) == (kind, detail["last_passing"], detail["first_failing"])
        assert "delivery_delay" == detail["binding_slo"]["condition"]
