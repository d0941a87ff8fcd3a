"""The private section of a target file."""

import json
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.target import TargetSpec
from capacity.settings.target import Target, load_target, recorded
from capacity.settings.targets.private import Private, kinds_of, lacking_rows, private_dialect
from capacity.settings.values import Value

GOOD = """\
target: 1
name: venue
host: 10.0.0.7
port: 443
dialect: okx
symbols: [BTC-USDT]
channels: [books]
private:
  dialect: okx-private
  channels: [orders, account]
  values: {api_key: a, secret_key: {env: OKX_SECRET}, passphrase: {rows: rows.csv}}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OKX_SECRET", "s3cret")
    (tmp_path / "rows.csv").write_text("passphrase\nopen\nsesame\n")

    def write(text=GOOD):
        Path("t.yaml").write_text(text)
        return Path("t.yaml")

    return write


def refusal(path):
    with pytest.raises(ConfigError) as error:
        load_target(path)
    return str(error.value)


def test_a_client_holds_a_public_and_a_private_connection_unless_more_are_asked_for(file):
    plain = load_target(file(GOOD.partition("private:")[0]))
    target = load_target(file())
    three = load_target(file(f"{GOOD}  connections_per_client: 3\n"))

    assert [1, 2, 3] == [each.connections_per_client for each in (plain, target, three)]
    assert target.private is not None
    assert "okx-private" == private_dialect(target.private, target.dialect).name


def test_private_connections_meet_the_same_target_with_channels_and_values_of_their_own(
    file, tmp_path
):
    target = load_target(file())
    own = target.privately()

    assert (target.host, target.port, target.symbols) == (own.host, own.port, own.symbols)
    assert ("okx-private", ("orders", "account")) == (own.dialect, own.channels)
    assert str(tmp_path / "rows.csv") == str(Path(own.values["passphrase"].rows).absolute())
    assert (None, None, None) == (own.private, own.rest, own.orders)


def test_a_target_without_private_connections_has_nothing_to_show_of_them(file):
    with pytest.raises(ValueError, match="venue has no private connections"):
        load_target(file(GOOD.partition("private:")[0])).privately()


def test_what_is_not_given_is_the_targets(file):
    target = load_target(
        file(f"{GOOD.partition('private:')[0]}private: {{url: 'wss://{{host}}:{{port}}/own'}}\n")
    )
    own = target.privately()

    assert ("okx", ("books",), ("BTC-USDT",)) == (own.dialect, own.channels, own.symbols)
    assert target.private is not None
    assert "wss://{host}:{port}/own" == private_dialect(target.private, target.dialect).ws.url


def test_a_run_keeps_how_many_connections_a_client_holds_and_no_credential(file):
    target = load_target(file())
    document = json.loads(json.dumps(recorded(target)))

    assert 2 == TargetSpec.from_document(document).connections_per_client
    assert target.spec() == TargetSpec.from_document(document)
    assert {"api_key", "secret_key", "passphrase"} == set(document["private"]["values"])
    assert "(not recorded)" == document["private"]["values"]["api_key"]
    assert "private" not in recorded(load_target(file(GOOD.partition("private:")[0])))


def test_private_connections_survive_the_way_to_a_worker(file):
    target = load_target(file())

    assert target == Target.model_validate(json.loads(json.dumps(target.model_dump(mode="json"))))


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("api_key: a, ", "", "private.values: dialect okx-private needs api_key; give it here"),
        ("api_key: a,", "api_key: a, other: b,", "private.values.other: dialect okx-private needs no other"),
        ("env: OKX_SECRET", "env: NOWHERE", "private.values.secret_key: the environment has no NOWHERE"),
        ("rows: rows.csv", "rows: none.csv", "none.csv cannot be read: No such file or directory"),
        ("[orders, account]", "[orders, books]", "private.channels[1]: dialect okx-private has no channel books"),
        ("okx-private", "okx-privat", "private.dialect: config/dialects has no 'okx-privat'"),
        ("  dialect:", "  connections_per_client: 1\n  dialect:", "private.connections_per_client: must be greater than or equal to 2 (got 1)"),
        ("  dialect:", "  connections_per_client: 1001\n  dialect:", "private.connections_per_client: must be less than or equal to 1000 (got 1001)"),
        ("  dialect:", "  connections_per_client: 2.5\n  dialect:", "private.connections_per_client: must be"),
        ("  dialect:", "  login: yes\n  dialect:", "private.login: unknown key; allowed: connections_per_client"),
        ("  dialect:", "  url: '{scheme}://{host}:{port}/{hots}'\n  dialect:", "private.url: "),
        ("  dialect:", "  url: wss://elsewhere.example/ws\n  dialect:", "private.url: must begin with {scheme}://{host}:{port}, which the target file gives: load goes to no other host (got 'wss://elsewhere.example/ws')"),
    ],
)  # fmt: skip
def test_private_connections_that_cannot_be_are_refused_with_their_key(file, replaced, by, said):
    told = refusal(file(GOOD.replace(replaced, by, 1)))

    assert said in told
    assert told.startswith("t.yaml:")
    assert "\n" not in told


@pytest.mark.parametrize("section", ["{}", "{connections_per_client: 3}", "{symbols: [A]}"])
def test_private_connections_that_are_as_the_public_ones_are_refused(file, section):
    told = refusal(file(f"{GOOD.partition('private:')[0]}private: {section}\n"))

    assert told.endswith(
        "private: is as the public connections are; give dialect, url, channels or values"
    )


def test_private_connections_may_have_a_pace_of_all_connections_together(file, tmp_path):
    text = Path(__file__).parents[3] / "config" / "dialects" / "okx-private.yaml"
    paced = text.read_text().replace("requests_per_s: 3", "total_requests_per_s: 3")
    (tmp_path / "paced.yaml").write_text(paced.replace("name: okx-private", "name: paced"))

    assert load_target(file(GOOD.replace("okx-private", "./paced.yaml"))).private is not None


@pytest.mark.parametrize(
    ("per_client", "connections", "kinds"), [(2, 10, (5, 5)), (2, 11, (6, 6)), (3, 10, (8, 4))]
)
def test_connections_are_those_of_whole_clients(per_client, connections, kinds):
    assert kinds == kinds_of(Private(connections_per_client=per_client), connections)
    assert (connections, 0) == kinds_of(None, connections)


@pytest.mark.parametrize(
    ("per_client", "connections", "lacking"),
    [
        (2, 4, []),
        (2, 5, ["private.values.passphrase has 2 rows in rows.csv for 3 connections"]),
        (3, 6, []),
        (3, 7, ["private.values.passphrase has 2 rows in rows.csv for 3 connections"]),
    ],
)
def test_a_row_is_needed_for_each_client_and_not_for_each_connection(
    file, per_client, connections, lacking
):
    private = Private(
        connections_per_client=per_client, values={"passphrase": Value(rows="rows.csv")}
    )

    file()
    assert lacking == [each.partition(";")[0] for each in lacking_rows({}, private, connections)]
    assert 1 == len(list(lacking_rows(private.values, None, 3)))
