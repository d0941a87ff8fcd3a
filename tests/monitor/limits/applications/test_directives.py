from capacity.monitor.limits.applications.directives import Directive


def of(name, *block, words=()):
    return Directive(name=name, words=words, where="x:1", block=list(block))


SITE = of("http", of("server", of("listen", words=("80", "reuseport")), of("root")), of("listen"))


def test_directives_are_found_by_name_at_any_depth():
    assert ["80 reuseport", ""] == [found.text for found in SITE.all("listen")]
    assert ["listen", "root", "listen"] == [found.name for found in SITE.all("root", "listen")]


def test_without_a_name_all_are_found_and_nothing_twice():
    assert ["server", "listen", "root", "listen"] == [found.name for found in SITE.all()]
