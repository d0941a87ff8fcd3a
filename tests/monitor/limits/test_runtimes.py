"""Programs by their names, and of Go by a section of theirs."""

import struct

import pytest

from capacity.monitor.limits.runtimes import Runtime, is_go, runtime_of


@pytest.mark.parametrize(
    ("program", "runtime"),
    [
        ("nodejs", Runtime.NODE),
        ("/opt/jdk/bin/java", Runtime.JVM),
        ("dotnet", Runtime.NET),
        ("/root/.deno/bin/deno", Runtime.DENO),
        ("php", Runtime.PHP),
        ("/usr/bin/php8.2", Runtime.PHP),
        ("php83", Runtime.PHP),
        ("php-cli", Runtime.PHP),
        ("php-fpm8.2", Runtime.OTHER),
        ("phpunit", Runtime.OTHER),
        ("nginx", Runtime.OTHER),
    ],
)
def test_a_runtime_is_known_by_its_programs_name(tmp_path, program, runtime):
    assert runtime_of(7, [program, "x"], str(tmp_path)) is runtime


def test_a_title_in_place_of_the_command_line_hides_no_runtime(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/exe").symlink_to("/usr/bin/php8.2 (deleted)")

    assert runtime_of(7, ["my-server"], str(tmp_path)) is Runtime.PHP


def elf(section=b".go.buildinfo\0", *, magic=b"\x7fELF\x02\x01", entry_bytes=64, names=2, before=0):
    """Return a program whose names of sections are where its header says."""
    names_at = 64 + entry_bytes * (names + 1)
    header = magic.ljust(0x28, b"\0") + struct.pack("<Q", 64)
    header = header.ljust(0x3A, b"\0") + struct.pack("<HHH", entry_bytes, names + 1, names)
    entry = bytes(0x18) + struct.pack("<QQ", names_at, before + len(section)) + bytes(0x40 - 0x28)
    return header + bytes(entry_bytes * names) + entry + bytes(before) + section


def elf_that_ends_with_its_entry(entry_bytes=64):
    """Return a program whose names of sections come before the entry that says where they are."""
    header, section, entry = (
        elf()[:64],
        b".go.buildinfo\0",
        bytes(0x18) + struct.pack("<QQ", 64, 14),
    )
    return header + section.ljust(128, b"\0") + entry.ljust(entry_bytes, b"\0")


@pytest.mark.parametrize(
    ("content", "is_of_go"),
    [
        (elf_that_ends_with_its_entry(), True),
        (elf_that_ends_with_its_entry(63), False),
        (elf(), True),
        (elf(names=5), True),
        (elf(before=(1 << 16) - 14), True),
        (elf(before=(1 << 16) - 13), False),
        (elf(b".text\0"), False),
        (elf(magic=b"\x7fELF\x01\x01"), False),
        (elf(magic=b"\x7fELF\x02\x02"), False),
        (elf()[:63], False),
        (elf()[: 64 + 128 + 63], False),
    ],
    ids=[
        "whole entry",
        "half an entry",
        "Go",
        "sixth",
        "last name",
        "too late",
        "C",
        "32 bits",
        "big-endian",
        "header",
        "entry",
    ],
)
def test_a_program_of_go_has_a_section_of_its_linker(tmp_path, content, is_of_go):
    (tmp_path / "exe").write_bytes(content)

    assert is_of_go is is_go(str(tmp_path / "exe"))
