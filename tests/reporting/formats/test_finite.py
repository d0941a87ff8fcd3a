import json
import math

import pytest

from capacity.reporting.formats.finite import finite


@pytest.mark.parametrize(
    ("value", "said"),
    [(math.inf, "Infinity"), (-math.inf, "-Infinity"), (math.nan, "NaN"), (1.5, 1.5)],
)
def test_what_json_has_no_number_for_is_spelt_out_at_any_depth(value, said):
    found = finite({"a": [value, (value,)], "b": {"c": value}, "d": "text", "e": None})

    assert found == {"a": [said, [said]], "b": {"c": said}, "d": "text", "e": None}
    json.dumps(found, allow_nan=False)
