"""Known vulnerabilities of what is locked: `make audit-dependencies`, by pip-audit.

    python tests/supply/audit.py LOCK...

Exit codes: 0 everything was looked up and nothing is known, 1 something is known, 3 not everything could be
looked up. Of a package that its database does not have, pip-audit says that no vulnerability was found:
a mirror without the database would pass everything.
"""

import json
import subprocess
import sys
from pathlib import Path

SERVICES = ("osv", "pypi")
NONE_KNOWN, KNOWN, NOT_ASKED = 0, 1, 3
TIMEOUT_S = 300


def asked(lock, service):
    """Return what pip-audit says of *lock*, or the reason why it says nothing."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    options = ["--require-hashes", "--disable-pip", "--vulnerability-service", service]
    try:
        ended = subprocess.run(
            [*command, *options, "--requirement", lock],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S} s"
    try:
        return json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        return why_not(ended.stderr)


def why_not(stderr):
    """Return in a few words why pip-audit says nothing."""
    last = (stderr.strip().splitlines() or ["it said nothing"])[-1]
    return "cannot be reached" if "Max retries exceeded" in last else last[:160]


def verdict(lock, answers):
    """Return the exit code and the sentence for one lock; *answers* are those of each service."""
    reasons = []
    for service, answer in answers:
        if isinstance(answer, str):
            reasons.append(f"{service}: {answer}")
            continue
        known = [each for each in answer if each.get("vulns")]
        skipped = [each for each in answer if "skip_reason" in each]
        if known:
            names = ", ".join(
                f"{each['name']} {each['version']} ({', '.join(v['id'] for v in each['vulns'])})"
                for each in known
            )
            return KNOWN, f"{lock}: known vulnerabilities: {names}"
        if answer and not skipped:
            return NONE_KNOWN, f"{lock}: {len(answer)} packages looked up at {service}, none known"
        reasons.append(f"{service} does not know {len(skipped)} of {len(answer)} packages")
    return NOT_ASKED, f"{lock}: not audited ({'; '.join(reasons)})"


def main(locks):
    codes = []
    for lock in locks:
        if not Path(lock).is_file():
            codes.append(NOT_ASKED)
            print(f"{lock}: not audited (no such file)")
            continue
        code, sentence = verdict(lock, ((service, asked(lock, service)) for service in SERVICES))
        codes.append(code)
        print(sentence)
    return KNOWN if KNOWN in codes else max(codes, default=NOT_ASKED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
