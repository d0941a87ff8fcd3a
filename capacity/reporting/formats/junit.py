"""Results of rules as JUnit XML, one test case a rule, as CI servers read it.

A rule that fails is a failure. One that warns passes with its warning as output: JUnit knows nothing
between the two.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET  # Written here and never read.

from capacity.domain.answers.rules import RuleResult, RuleStatus
from capacity.domain.words import printable


def render(results: Sequence[RuleResult], run: str) -> str:
    """Return the document, ending in a line feed."""
    failures = sum(result.status is RuleStatus.FAILED for result in results)
    counts = {"tests": str(len(results)), "failures": str(failures), "errors": "0", "skipped": "0"}
    root = ET.Element("testsuites", {"name": "capacity", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": printable(run), "time": "0", **counts})
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": f"capacity.{result.rule.condition.figure}",
                "name": printable(result.rule.condition.text),
                "time": "0",
            },
        )
        told = printable("; ".join(filter(None, [result.statement, result.rule.reason])))
        if result.status is RuleStatus.FAILED:
            ET.SubElement(case, "failure", {"message": told, "type": "rule"}).text = told
        elif result.status is RuleStatus.WARNED:
            ET.SubElement(case, "system-out").text = f"warning: {told}"
        else:
            ET.SubElement(case, "system-out").text = told
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
