"""Standard JSON: the format has no NaN and no infinity."""

from __future__ import annotations

import json
import math
from typing import Any


def to_json(value: Any, **options: Any) -> str:
    """Encode a value as standard JSON: NaN and infinity become ``null``.

    Parameters
    ----------
    value : object
        Dictionaries, lists, tuples, text, numbers, booleans and None.
    **options
        Options of `json.dumps`.

    Examples
    --------
    >>> to_json({"score": float("nan"), "n": 3})
    '{"score": null, "n": 3}'
    """
    try:
        return json.dumps(value, allow_nan=False, **options)
    except ValueError:
        return json.dumps(finite_only(value), allow_nan=False, **options)


def finite_only(value: Any) -> Any:
    """Return plain values with non-finite numbers replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite_only(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_only(item) for item in value]
    return value
