from capacity.domain.errors import ConfigError

ATTACK = "\x1b]0;PWNED\x07\x1b[2J\r\nall is well"


def test_a_sentence_is_one_printable_line_whoever_it_quotes():
    shown = str(ConfigError(f"a symbol is wrong: {ATTACK}"))

    assert shown.isprintable()
    assert "PWNED" in shown


def test_several_sentences_are_lines():
    assert "first\nsecond" == str(ConfigError("first", "second"))
