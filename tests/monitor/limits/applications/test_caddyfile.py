"""Sites, blocks and imports of a Caddyfile."""

from contextlib import nullcontext

import pytest

from capacity.monitor.limits.applications.caddyfile import sites
from capacity.monitor.limits.applications.settings import UnclearError

PATH = "/etc/caddy/Caddyfile"


@pytest.fixture
def read(made):
    def sites_of(text):
        made.write(PATH, text)
        return list(sites(made.process("caddy"), PATH))

    return sites_of


@pytest.mark.parametrize(
    ("address", "ports"),
    [
        ("example.com", [80, 443]),
        ("http://example.com", [80]),
        ("example.com:8443, http://a/b", [80, 8443]),
        (":8080", [8080]),
        ("[::1]:81", [81]),
        ("[::1]", [80, 443]),
        (":{$PORT}", [80, 443]),
    ],
)
def test_the_ports_of_a_site(read, address, ports):
    assert [found for found, _ in read(f"{address} {{\n respond a\n}}\n")] == [ports]


def test_ports_of_the_global_options_count(read):
    text = "{\n http_port 81\n https_port 444\n}\nexample.com {\n respond a\n}\n"

    assert [found for found, _ in read(text)] == [[81, 444]]


def test_a_file_of_one_site_needs_no_braces(read):
    ((ports, site),) = read("localhost:80\n# a comment\nrespond `a {`\nroot a # b\n")

    assert ports == [80]
    assert [(each.name, each.words) for each in site.all()] == [
        ("respond", ("a {",)),
        ("root", ("a",)),
    ]


def test_an_import_of_nothing_is_a_directive_like_others(read):
    ((_, site),) = read(":80 {\n import\n root a\n}\n")

    assert [each.name for each in site.all()] == ["import", "root"]


def test_texts_over_lines_are_skipped(read):
    ((_, site),) = read(":80 {\n respond <<END\n  }\n  a {\n END\n root a\n}\n")

    assert [each.name for each in site.all()] == ["respond", "root"]


def test_files_and_snippets_are_imported_where_they_are_named(made, read):
    made.write("/etc/caddy/more/a.conf", ":81 {\n import own\n}\n")
    found = read("(own) {\n root a\n}\nimport more/*\n:80 {\n import own\n}\n")

    assert [(ports, [each.name for each in site.all()]) for ports, site in found] == [
        ([81], ["root"]),
        ([80], ["root"]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import Caddyfile\n",
        "}\n",
        ":80 {\n",
        "a {\n" * 20,
        "(a) {\n root a\n}\n" + ":80 {\n" + " import a\n" * 60_000 + "}\n",
        "".join(
            f"(s{n + 1}) {{\n x {{\n import s{n}\n import s{n}\n }}\n}}\n" for n in range(40)
        ).replace("(s1)", "(s0) {\n root a\n}\n(s1)", 1),
    ],
)
def test_what_never_ends_is_unclear(read, text):
    with pytest.raises(UnclearError):
        read(text)


@pytest.mark.parametrize("block", [" import a\n", " x {\n import a\n }\n"])
def test_a_snippet_cannot_have_itself(read, block):
    with pytest.raises(FileNotFoundError):
        read(f"(a) {{\n{block}}}\n:80 {{\n import a\n}}\n")


@pytest.mark.parametrize(
    "text", [":81 {\n (a) {\n root b\n }\n}\n", "xax {\n root b\n}\n"], ids=["nested", "a site"]
)
def test_a_block_that_is_no_snippet_cannot_be_imported(read, text):
    with pytest.raises(FileNotFoundError):
        read(f"{text}:80 {{\n import a\n}}\n")


def test_sixteen_files_may_import_one_another(made, read):
    for n in range(1, 16):
        made.write(f"/etc/caddy/{n}", f"import {n + 1}\n")
    made.write("/etc/caddy/16", ":81 {\n root a\n}\n")
    ((ports, _site),) = read("import 1\n")

    assert [81] == ports

    made.write("/etc/caddy/0", "import 1\n")
    with pytest.raises(UnclearError, match="import one another more than 16 deep"):
        read("import 0\n")


@pytest.mark.parametrize(
    ("opened", "said", "problem"),
    [(14, 0, None), (15, 0, "blocks more than 16 deep"),
     (0, 49_999, None), (0, 50_000, "more than 50000 directives")],
)  # fmt: skip
def test_a_site_has_blocks_and_directives_up_to_a_bound(read, opened, said, problem):
    text = ":80 {\n" + "a {\n" * opened + "b\n" * said + "}\n" * (opened + 1)
    with pytest.raises(UnclearError, match=problem) if problem else nullcontext():
        ((ports, site),) = read(text)

        assert ([80], opened + said) == (ports, len(list(site.all())))
