from pathlib import Path

import pytest

from capacity.monitor.arguments import parser, selector, spool_bytes


def options(*arguments):
    return parser().parse_args(["--pid", "7", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one of the arguments --pid --port --name --cmdline --pidfile --unit --cgroup"),
        (["--pid", "0"], "'0' is not a whole number above 0"),
        (["--pid", "7", "--name", "nginx"], "not allowed with argument --pid"),
        (["--port", "0"], "0 is not a port that a process can listen on"),
        (["--port", "70000"], "'70000' is not a port, 0 to 65535"),
        (["--cmdline", "(feed"], "'(feed' is not a regular expression"),
        (["--port", "65536"], "'65536' is not a port, 0 to 65535"),
        (["--pid", "1" * 10], "is not a whole number above 0, of 9 digits at most"),
        (["--pid", "7", "--keep=-1"], "is not a whole number above 0"),
        (["--pid", "7", "--interval", "0.09"], "'0.09' is not a number of seconds, 0.1 to 3600"),
        (["--pid", "7", "--interval", "3601"], "'3601' is not a number of seconds"),
        (["--pid", "7", "--interval", "nan"], "'nan' is not a number of seconds"),
        (["--pid", "9" * 60], f"'{'9' * 40}' is not"),
        (["--port", "9" * 60], f"'{'9' * 40}' is not"),
        (["--pid", "7", "--interval", "0"], "'0' is not a number of seconds, 0.1 to 3600"),
        (["--pid", "7", "--interval", "soon"], "'soon' is not a number of seconds"),
    ],
)
def test_what_is_impossible_is_refused_with_what_is_allowed(capsys, arguments, said):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(arguments)

    assert 2 == end.value.code
    assert said in capsys.readouterr().err


def test_the_target_is_named_in_one_of_many_ways():
    chosen = selector(parser().parse_args(["--cmdline", "feed --shard [0-9]"]))

    assert ("feed --shard [0-9]", None, None) == (chosen.cmdline, chosen.pid, chosen.port)


def test_without_options_it_serves_on_loopback():
    assert ("127.0.0.1", 9101, None) == (
        options().bind,
        options().listen,
        options().token_file,
    )


def test_without_options_it_samples_once_a_second_and_spools_at_most_half_a_gibibyte():
    assert (1.0, 512) == (options().interval, options().spool_mebibytes)


@pytest.mark.parametrize("option", ["--keep", "--spool-mebibytes", "--listen"])
def test_a_number_of_many_digits_is_refused_in_a_sentence(option, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--pid", "1", option, "9" * 20])

    assert "is not a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("interval", "0.1", 0.1),
        ("interval", "3600", 3600.0),
        ("keep", "1", 1),
        ("keep", "9" * 9, 999_999_999),
        ("listen", "0", 0),
        ("listen", "65535", 65_535),
    ],
)
def test_what_is_just_possible_is_taken(option, text, value):
    assert value == getattr(options(f"--{option}", text), option)


def test_a_target_may_be_named_by_the_last_and_the_first_port():
    assert [1, 65_535] == [
        selector(parser().parse_args(["--port", text])).port for text in ("1", "65535")
    ]


def test_without_options_an_hour_of_seconds_is_kept_and_nothing_is_allowed_or_printed():
    plain = options()

    assert 3600 == plain.keep
    assert (False, False, False) == (plain.allow_plain_http, plain.audit, plain.json)
    assert 512 << 20 == spool_bytes(plain)
    assert 3 << 20 == spool_bytes(options("--spool-mebibytes", "3"))


@pytest.mark.parametrize(
    ("option", "value"),
    [("name", "a"), ("unit", "a.service"), ("cgroup", "/a"), ("pidfile", Path("/a")), ("pid", 5)],
)
def test_every_way_to_name_a_target_is_passed_on(option, value):
    chosen = selector(parser().parse_args([f"--{option}", str(value)]))

    assert value == getattr(chosen, option)
