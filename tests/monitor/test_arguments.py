import pytest

from capacity.monitor.arguments import parser, selector


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
