from dataclasses import replace

import pytest

from capacity.domain.resources import AuditEntry, LimitState, Scaling
from capacity.reporting.audit import audit_section


def entry(name, **changes):
    return AuditEntry(
        **{
            "name": name,
            "state": LimitState.KNOWN,
            "value": 4096.0,
            "unit": "connections",
            "scope": "namespace",
            "source": "/proc/sys/net/core/somaxconn",
            "scales_with": Scaling.ARRIVALS,
            **changes,
        }
    )


@pytest.fixture
def audited(record):
    def with_entries(*entries):
        agent = replace(record.manifest.agent, audit=entries)
        return audit_section(replace(record, manifest=replace(record.manifest, agent=agent)))

    return with_entries


def test_a_limit_is_shown_with_its_place_and_what_uses_it_up(audited):
    [row] = audited(entry("net.core.somaxconn")).table.rows

    assert ["net.core.somaxconn", "4,096 connections", "arrivals"] == [cell.text for cell in row]
    assert "namespace: /proc/sys/net/core/somaxconn" == row[0].note


def test_bytes_are_scaled(audited):
    section = audited(
        entry("tcp_wmem", unit="bytes", value=4194304.0, scales_with=Scaling.QUEUED_BYTES)
    )

    assert ["tcp_wmem", "4 MiB", "queued bytes"] == [cell.text for cell in section.table.rows[0]]


def test_an_unknown_limit_says_why_and_is_counted(audited):
    unknown = entry("RLIMIT_NOFILE", state=LimitState.UNKNOWN, value=None, reason="takes PTRACE")
    section = audited(entry("net.core.somaxconn"), unknown)

    assert ("2 limits, 1 of them unknown.",) == section.paragraphs
    assert "unknown" == section.table.rows[1][1].text
    assert section.table.rows[1][0].note.endswith("; takes PTRACE")


def test_without_an_audit_nothing_is_made_up(audited, partial_records):
    assert ("No limit was audited.",) == audited().paragraphs
    assert ("No limit was audited.",) == audit_section(partial_records["no agent"]).paragraphs
