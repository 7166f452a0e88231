"""JSON without NaN and infinity."""

import json

import pytest

from genrenet.utils.strict_json import finite_only, to_json


def test_json_has_no_nan():
    value = {"a": [1.5, float("nan"), (float("inf"), "x", None, True)], "b": {"c": -float("inf")}}
    found = json.loads(to_json(value), parse_constant=pytest.fail)
    assert found == {"a": [1.5, None, [None, "x", None, True]], "b": {"c": None}}


@pytest.mark.parametrize("score", [0.5, float("nan")])
def test_options_count_with_and_without_nan(score):
    text = to_json({"b": score, "a": "ü"}, sort_keys=True, ensure_ascii=False, indent=1)
    assert text.startswith('{\n "a": "ü"')


def test_what_json_cannot_hold_is_an_error():
    with pytest.raises(TypeError, match="set"):
        to_json({"a": {1, 2}})


def test_plain_values_stay_as_they_are():
    value = {"n": 3, "t": True, "s": "nan", "none": None, "f": -0.0}
    found = finite_only(value)
    assert found == value
    assert found["t"] is True
    assert finite_only(float("-inf")) is None
