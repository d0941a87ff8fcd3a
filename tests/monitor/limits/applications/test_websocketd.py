"""websocketd by its words."""


def test_max_forks_is_the_cap(made):
    assert made.caps("websocketd", "--port=80", "--maxforks=9", "cat") == [(9, ())]


def test_without_it_there_is_none(made):
    assert [each.state.value for each in made.entries("websocketd", "cat")] == ["unlimited"]
