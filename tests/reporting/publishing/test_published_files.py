from capacity.reporting.publishing.published_files import RENDERERS, rendered


def test_every_file_has_its_content_and_ends_in_a_line_feed(about):
    found = rendered(about)

    assert set(found) == set(RENDERERS)
    assert all(text.endswith("\n") and len(text) > 100 for text in found.values())


def test_the_same_plan_gives_the_same_files(about):
    assert rendered(about) == rendered(about)
