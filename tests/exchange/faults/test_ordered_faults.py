import pytest

from capacity.domain.errors import ConfigError
from capacity.exchange.faults.ordered_faults import (
    Burst,
    HalfOpen,
    Skip,
    Stall,
    load_faults,
    one_fault,
)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "faults.yaml"
        path.write_text(text)
        return path

    return write


def test_every_kind_is_read_from_a_file(written):
    path = written(
        """
faults: 1
do:
  - {kind: skip, after_s: 2, updates: 3, channels: "book.*", share_ratio: 0.1}
  - {kind: stall, for_s: 5}
  - {kind: half_open}
  - {kind: burst, updates: 100}
"""
    )

    assert (
        Skip(kind="skip", after_s=2, updates=3, channels="book.*", share_ratio=0.1),
        Stall(kind="stall", for_s=5),
        HalfOpen(kind="half_open"),
        Burst(kind="burst", updates=100),
    ) == load_faults(path)


def test_a_mistake_is_named_with_file_line_and_key(written):
    path = written("faults: 1\ndo:\n  - {kind: skip}\n  - {kind: stall, for_s: 0}\n")
    with pytest.raises(ConfigError, match=r"faults\.yaml:4: .*for_s.*greater than 0"):
        load_faults(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"kind":"explode"}', "explode"),
        (b'{"kind":"skip","share_ratio":1.01}', "share_ratio"),
        (b'{"kind":"burst"}', "updates"),
        (b'{"kind":"skip","every_s":0.009}', "every_s"),
        (b'{"kind":"half_open","for_s":1}', "for_s"),
        (b"[]", "fault"),
        (b"{", "JSON"),
    ],
)
def test_a_fault_that_cannot_be_is_said_in_one_line(text, said):
    with pytest.raises(ConfigError, match=said) as wrong:
        one_fault(text)

    assert "\n" not in str(wrong.value)


def test_one_fault_is_read_from_json():
    assert Skip(kind="skip", updates=2) == one_fault(b'{"kind":"skip","updates":2}')
