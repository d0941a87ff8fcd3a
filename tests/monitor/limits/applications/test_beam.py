"""Flags of Erlang's machine, and what a real one says of itself."""

import subprocess

import pytest

from capacity.monitor.limits.applications.beam import OF_ITS_OWN

WORDS = ("/usr/lib/erlang/erts-13/bin/beam.smp",)


@pytest.mark.parametrize(
    ("words", "environ", "cap"),
    [
        (("+Q", "1024"), {}, 1014),
        (("+Q1500",), {}, 2038),
        ((), {}, 65_526),
        ((), {"ERL_MAX_PORTS": "5000"}, 8182),
        (("+Q", "1024"), {"ERL_MAX_PORTS": "5000"}, 1014),
        (("-Q", "1024", "--", "-Q", "9"), {}, 1014),
    ],
)
def test_a_connection_is_a_port_of_the_machine(made, words, environ, cap):
    made.environ |= environ

    assert made.caps(*WORDS, *words) == [(cap, ())]


def test_processes_are_told(made):
    entries = {entry.name: entry for entry in made.entries(*WORDS, "+P", "1000000")}

    assert entries["processes of the Erlang machine"].value == 1 << 20


def test_what_is_no_number_is_unknown(made):
    assert made.unknown(*WORDS, "+Q", "many").value is None


@pytest.mark.parametrize("flag", [("+Q", "3000"), ("+Q", "1024"), ()])
def test_a_real_machine_says_the_same(start_server, free_port, tmp_path, flag):
    port, said = free_port(), tmp_path / "said"
    program = (
        f'{{ok,_}}=gen_tcp:listen({port},[]),file:write_file("{said}",integer_to_list('
        "erlang:system_info(port_limit))),receive stop->ok end."
    )
    machine = start_server("erl", *flag, "-noinput", "-eval", program, port=port)
    subprocess.run(["sleep", "0.2"], check=True)

    assert machine.cap().value == int(said.read_text()) - OF_ITS_OWN
