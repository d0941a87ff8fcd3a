import pytest

from capacity.domain.answers.rules import Level
from capacity.domain.errors import ConfigError
from capacity.settings.rules import load_rules


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "rules.yaml"
        path.write_text(text)
        return path

    return write


def test_rules_come_in_the_order_of_the_file_with_their_level(file):
    rules = load_rules(
        file(
            "rules: 1\ncheck:\n  - rule: headroom >= 30 %\n    why: policy\n"
            "  - {rule: connections.lost == 0, level: warn}\n"
        )
    )

    assert [(each.condition.figure, each.level, each.reason) for each in rules] == [
        ("headroom", Level.FAIL, "policy"),
        ("connections.lost", Level.WARN, ""),
    ]


def test_every_mistake_has_its_file_line_and_key(file):
    path = file(
        "rules: 1\ncheck:\n  - rule: hedroom >= 30 %\n  - rule: delivery_delay.p99 <= 250\n"
        "  - rule: headroom >= 1 %\n"
    )
    with pytest.raises(ConfigError) as error:
        load_rules(path)
    first, second = str(error.value).splitlines()

    assert first == (f"{path}:3: check[0].rule: unknown figure 'hedroom'; did you mean headroom?")
    assert second.startswith(f"{path}:4: check[1].rule: delivery_delay.p99 is given in s, ms")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: 1\ncheck: []\n", "needs at least 1 item"),
        ("rules: 1\ncheck:\n  - {rule: headroom >= 1 %, levle: warn}\n", "did you mean level?"),
        (
            "rules: 1\ncheck:\n  - {rule: headroom >= 1 %, level: error}\n",
            "must be 'warn' or 'fail'",
        ),
        ("rules: 2\ncheck:\n  - {rule: headroom >= 1 %}\n", "must be 1"),
    ],
)
def test_what_is_no_rules_file_is_refused(file, text, said):
    with pytest.raises(ConfigError, match=said):
        load_rules(file(text))


def test_the_shipped_rules_load(root):
    assert load_rules(root / "config/rules.yaml")
