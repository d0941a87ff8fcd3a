"""Writes the accuracy table: reports/validation/README.md, and the same into the README.

python tests/validation/table.py
"""

import json
import sys
from pathlib import Path

from scores import error_ratio, is_answered, rule_errors, scores_of

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reports" / "validation" / "results.jsonl"
BEGIN, END = "<!-- accuracy: made by tests/validation/table.py -->", "<!-- end of accuracy -->"
KINDS = ("counted", "memory", "CPU", "SLO", "unseen mix", "arrivals", "hidden")


def percent(value, digits=1):
    return "-" if value is None else f"{value * 100:.{digits}f} %"


def counted(share):
    return "-" if share is None else f"{share[0]} of {share[1]}"


def summary(results):
    """Return the table of scores as lines of Markdown."""
    lines = [
        (
            "| limit | from | cases | answered | median error | p90 error | bias | > 10 % too high "
            "| binding named | 80 % holds | 90 % holds | targets harmed |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for fraction in (0.25, 0.5):
            rows = [r for r in results if r["kind"] == kind and r["fraction"] == fraction]
            if not rows:
                continue
            of = scores_of(rows)
            lines.append(
                f"| {kind} | ≤ {fraction * 100:.0f} % | {of['cases']} | {of['answered']} "
                f"| {percent(of['median_error'])} | {percent(of['p90_error'])} "
                f"| {percent(of['log_bias'])} | {percent(of['unsafe'], 0)} "
                f"| {percent(of['named'], 0)} | {counted(of['covered_80'])} "
                f"| {counted(of['covered_90'])} | {of['failures_caused']} |"
            )
    return lines


def coverage(results):
    """Return how often intervals held, of forecasts that are no counts."""
    of = scores_of([r for r in results if r["kind"] in ("memory", "CPU", "SLO", "unseen mix")])
    return (
        f"Intervals of memory, CPU, SLO and unseen mixes together, as calibrated: 80 % ones held in "
        f"{counted(of['covered_80'])} cases, 90 % ones in {counted(of['covered_90'])}."
    )


def rules(results):
    lines = ["| rule of thumb, on the same runs | median error | cases |", "|---|---|---|"]
    known = [result for result in results if result["kind"] != "hidden"]
    ours = scores_of(known)
    lines.append(f"| this planner | {percent(ours['median_error'])} | {ours['answered']} |")
    for rule, (median, cases) in sorted(rule_errors(known).items(), key=lambda each: each[1]):
        lines.append(f"| {rule} | {percent(median)} | {cases} |")
    return lines


def cases(results):
    lines = [
        "| case | tested up to | predicted | interval, 90 % | broke at | error | named | doubts | harmed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in sorted(results, key=lambda each: (each["kind"], each["case"])):
        prediction = result["prediction"]
        if not is_answered(result):
            said = prediction.get("excuse") or " ".join(prediction["measure_said"])
            lines.append(
                f"| {result['case']} | | none: {said.strip()[:160].replace('|', '/')} | | "
                f"{result['truths']} | | | | {'yes' if prediction['target_failed'] else 'no'} |"
            )
            continue
        capacity = prediction["capacity"]
        lines.append(
            f"| {result['case']} | {prediction['highest_connections'] / result['truth'] * 100:.0f} % "
            f"| {capacity['mid']:.0f} | {capacity['low']:.0f} to "
            f"{capacity['high']:.0f} | {result['truths']} | {error_ratio(result) * 100:+.1f} % "
            f"| {prediction['binding']} | {', '.join(prediction['doubts'])} "
            f"| {'yes' if prediction['target_failed'] else 'no'} |"
        )
    return lines


def main():
    results = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    servers = sorted({result["server"] for result in results})
    text = [
        (
            f"{len(results)} cases on {len(servers)} servers ({', '.join(servers)}); each was measured up "
            "to the share named, its prediction hashed, and then the server broken three times by a "
            "program that shares nothing with the planner (`make validate`)."
        ),
        "",
        *summary(results),
        "",
        coverage(results),
        "",
        *rules(results),
    ]
    page = [
        "# Accuracy, case by case",
        "",
        *text,
        "",
        (
            "Whether an interval holds is counted on the cases examined after it was calibrated: the "
            f"first {sum(bool(r.get('before_calibration')) for r in results)} of CPU and SLO are what "
            "it was drawn from, and show the wider ones of before. Arrivals are clients a second (or in "
            "the accept queue); an unseen mix was tested with two updates a second a connection and "
            "with none, and asked about one in two seconds. "
            "Hidden limits are caps that no host can show: the planner cannot know them, and its answer "
            "there is the next wall."
        ),
        "",
        *cases(results),
        "",
        "The data set is results.jsonl, a line for each case.",
        "",
    ]
    (RESULTS.parent / "README.md").write_text("\n".join(page))
    readme = ROOT / "README.md"
    whole = readme.read_text()
    if BEGIN not in whole:
        sys.exit(f"README.md: has no line {BEGIN}")
    before, rest = whole.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    readme.write_text("\n".join([before + BEGIN, *text, END]) + after)


if __name__ == "__main__":
    main()
