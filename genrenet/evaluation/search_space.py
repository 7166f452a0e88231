"""Search spaces of settings: ranges and choices by name, from YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from genrenet.utils.errors import GenrenetError, printable

KEYS = ("low", "high", "log", "step")


class TuningError(GenrenetError):
    """A search that cannot be run."""


@dataclass(frozen=True)
class Setting:
    """Values of one setting: a range of numbers, or choices.

    Attributes
    ----------
    choices : tuple of str
        As JSON strings; empty for a range.
    low, high : int or float
        Both ends are included. Integers if both are.
    log : bool
        Sampled uniformly on a logarithmic scale.
    step : int or float, optional
    """

    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None

    def first(self) -> Any:
        """Return one of its values."""
        return json.loads(self.choices[0]) if self.choices else self.low

    def draw(self, trial: Any, name: str) -> Any:
        """Return the value suggested by an Optuna trial."""
        if self.choices:
            return json.loads(trial.suggest_categorical(name, self.choices))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(
                name, self.low, self.high, step=int(self.step or 1), log=self.log
            )
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)


def choices(values: Mapping[str, Sequence[Any]]) -> dict[str, Setting]:
    """Return the settings of a baseline's own grid."""
    return {name: Setting(tuple(map(json.dumps, listed))) for name, listed in values.items()}


def read_space(path: str) -> dict[str, Setting]:
    """Read a YAML file such as ``{C: {low: 0.1, high: 100, log: true}, gamma: [scale, 0.001]}``.

    Raises
    ------
    TuningError
        No such file, invalid YAML, or a value that is neither a range nor a list.
    """
    name = printable(path)
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TuningError(
            f"'{name}' cannot be read as YAML", found=" ".join(str(error).split())[:200]
        ) from error
    if not isinstance(found, dict) or not found:
        raise TuningError(
            f"'{name}' names no settings",
            found=type(found).__name__,
            wanted="settings with their values, such as C: {low: 0.1, high: 100, log: true}",
        )
    return {str(key): _setting(f"'{name}': {key}", value) for key, value in found.items()}


def _setting(where: str, value: Any) -> Setting:
    wanted = "a list of choices, or {low: A, high: B} with A < B; log: true needs A > 0"
    if isinstance(value, list) and value:
        try:
            return Setting(tuple(map(json.dumps, value)))
        except TypeError as error:
            raise TuningError(where, found=str(value), wanted=wanted) from error
    if not isinstance(value, dict) or not {"low", "high"} <= set(value) <= set(KEYS):
        raise TuningError(where, found=str(value), wanted=wanted)
    numbers = [_number(value[key]) for key in ("low", "high", "step") if key in value]
    low, high = numbers[:2]
    step, log = (numbers[2] if "step" in value else None), value.get("log", False)
    bad = None in numbers or not isinstance(log, bool) or (step is not None and (log or step <= 0))
    if bad or low is None or high is None or low >= high or (log and low <= 0):
        raise TuningError(where, found=str(value), wanted=f"{wanted}; log or step, not both")
    return Setting((), low, high, log, step)


def _number(value: Any) -> float | None:
    """Return a number, also in forms that YAML 1.1 does not parse (1e-4); None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not abs(number) < float("inf"):
        return None
    return value if isinstance(value, int) else number
