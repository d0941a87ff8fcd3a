"""The tables of what was examined as shipped, as lines of Markdown."""

from markdown import counted, number, percent
from scores import error_ratio, is_answered, scores_of
from scores_as_shipped import (
    answers_of,
    harm_of,
    is_contradicted,
    likelihood_ratios,
    particular,
    share_of_truth,
)

KINDS = ("counted", "memory", "heap", "CPU", "SLO", "unseen mix", "arrivals", "hidden")
_NAMES = {
    "unseen mix": "untested workload",
    "arrivals": "connect rate",
    "hidden": "unreadable limit",
}


def named(kind):
    """Return what a table calls a kind of the data set."""
    return _NAMES.get(kind, kind)


def by_kind(results):
    """Return (name, results) of each kind that there is, and of all."""
    rows = [(kind, [r for r in results if r["kind"] == kind]) for kind in KINDS]
    return [(kind, mine) for kind, mine in rows if mine] + [("all", results)]


def answers(results):
    doubts = particular(results)
    lines = [
        (
            "| limit | cases | answered | median error | p90 error | bias | > 20 % too high without "
            "a specific caveat | contradicted by its own run | 80 % holds | 90 % holds |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, mine in by_kind(results):
        of = answers_of(mine, doubts)
        lines.append(
            f"| {named(kind)} | {of['cases']} | {of['answered']} | {percent(of['median_error'])} "
            f"| {percent(of['p90_error'])} | {percent(of['log_bias'])} | {of['silently_too_high']} "
            f"| {of['contradicted']} | {counted(of['covered_80'])} | {counted(of['covered_90'])} |"
        )
    return lines


def harm(results):
    lines = [
        (
            "| limit | cases | targets died | killed for memory | throttled > 2 s | most refused "
            "| share of the true limit: median | highest | duration: median | longest |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, mine in by_kind(results):
        of = harm_of(mine)
        lines.append(
            f"| {named(kind)} | {of['cases']} | {of['died']} | {of['oom_killed']} | {of['throttled']} "
            f"| {of['most_refused']} | {percent(of['median_share'], 0)} "
            f"| {percent(of['most_share'], 0)} | {number(of['median_s'])} s "
            f"| {number(of['longest_s'])} s |"
        )
    return lines


def doubts(results):
    lines = [
        "| caveat | on answers > 10 % off | on the others | ratio |",
        "|---|---|---|---|",
    ]
    for kind, of in sorted(likelihood_ratios(results).items(), key=lambda each: -each[1]["ratio"]):
        lines.append(
            f"| {kind} | {counted(of['wrong'])} | {counted(of['right'])} | {of['ratio']:.1f} |"
        )
    return lines


def cases(results, counts):
    lines = [
        (
            "| case | opened | of the limit | predicted | interval, 90 % | broke at | error | named "
            "| caveats | refused | harm | exit | s | commit | earlier |"
        ),
        "|" + "---|" * 15,
    ]
    for result in sorted(results, key=lambda each: (each["kind"], each["case"])):
        prediction, did = result["prediction"], result["harm"]
        if is_answered(result):
            capacity = prediction["capacity"]
            said = (
                f"{capacity['mid']:.0f} | {capacity['low']:.0f} to {capacity['high']:.0f}"
                f"{' (contradicted)' if is_contradicted(result) else ''}"
            )
            error = f"{error_ratio(result) * 100:+.1f} %"
        else:
            excuse = prediction.get("excuse") or " ".join(prediction["measure_said"])
            said = f"none: {' '.join(excuse.split())[:160].replace('|', '/')} | "
            error = ""
        lines.append(
            f"| {result['case']} | {did.get('highest_opened', '-')} "
            f"| {percent(share_of_truth(result), 0)} | {said} | {result['truths']} | {error} "
            f"| {prediction.get('binding', '')} | {', '.join(prediction.get('doubts', []))} "
            f"| {did.get('refusals', '-')} | {', '.join(harms(did))} "
            f"| {prediction['measure_exit_code']} | {did['seconds']:.0f} | {result['commit'][:7]} "
            f"| {counts[result['case']] - 1} |"
        )
    return lines


def harms(did):
    """Return in words what a safe run did to its target."""
    return [
        *(["died"] if did["target_died"] else []),
        *([f"{did['oom_kills']} killed for memory"] if did["oom_kills"] else []),
        *([f"throttled {did['throttled_s']:.1f} s"] if did["throttled_s"] >= 0.1 else []),
        *([f"memory at {did['memory_share']:.0%}"] if did["memory_share"] else []),
        *([f"CPU at {did['cpu_share']:.0%}"] if did["cpu_share"] else []),
    ]


def short(shipped, told):
    """Return the table that has both side by side, a line for each kind."""
    lines = [
        (
            "| limit | as shipped: cases | answered | median error | p90 error | > 20 % too high without "
            "a specific caveat | targets died | highest share of the true limit "
            "| told a quarter or half: cases | median error | p90 error |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    known = particular(shipped)
    for kind in KINDS:
        mine = [r for r in shipped if r["kind"] == kind]
        theirs = [r for r in told if r["kind"] == kind]
        if not mine and not theirs:
            continue
        of, did, old = answers_of(mine, known), harm_of(mine), scores_of(theirs)
        lines.append(
            f"| {named(kind)} | {of['cases']} | {of['answered']} | {percent(of['median_error'])} "
            f"| {percent(of['p90_error'])} | {of['silently_too_high']} | {did['died']} "
            f"| {percent(did['most_share'], 0)} | {old['cases']} | {percent(old['median_error'])} "
            f"| {percent(old['p90_error'])} |"
        )
    return lines
