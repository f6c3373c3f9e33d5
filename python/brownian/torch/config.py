"""What a run's configuration may say: the limits of ``trainer train``, known before a training instead of after it."""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping

from .._native import Error

PREDICTIONS = ("epsilon", "v", "x0")
WEIGHTINGS = ("simple", "min-snr", "variational")
#: Schedules, and the count of numbers that each may have behind it.
SCHEDULES = {"linear": (0, 2), "cosine": (0,), "sigmoid": (0,), "learned": (0, 1), "geometric": (3,)}


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(allowed: Callable[[float], bool]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        kind = isinstance(value, (int, float)) and not isinstance(value, bool)
        return kind and math.isfinite(value) and allowed(value)

    return check


def _decays(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_SHARE, value))


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_whole(1, 65535), value))


def _axes(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(axis, dict) and isinstance(axis.get("classes"), list) for axis in value)
    return _whole(0, 65535)(value)


_SHARE = _number(lambda v: 0 <= v < 1)
_POSITIVE = _number(lambda v: v > 0)
#: Every key that a training reads: whether it must be there, what may be, and that in words.
RULES: dict[str, tuple[bool, Callable[[Any], bool], str]] = {
    "image": (True, _sizes, "three sizes of at least 1"),
    "classes": (True, _axes, "a number of classes, or axes with their classes"),
    "steps": (True, _whole(1, 2**31 - 1), "1 to 2147483647"),
    "batch": (True, _whole(1, 65536), "1 to 65536"),
    "accumulate": (False, _whole(1, 65536), "1 to 65536"),
    "lr": (True, _number(lambda v: 0 < v <= 1), "above 0 and at most 1"),
    "seed": (True, _whole(0, 2**64 - 1), "0 to 18446744073709551615"),
    "timesteps": (True, _whole(2, 100_000), "2 to 100000"),
    "schedule": (True, lambda value: isinstance(value, str), "a text"),
    "zero_terminal_snr": (True, lambda value: isinstance(value, bool), "true or false"),
    "prediction": (True, lambda value: value in PREDICTIONS, "one of " + ", ".join(PREDICTIONS)),
    "weighting": (True, lambda value: value in WEIGHTINGS, "one of " + ", ".join(WEIGHTINGS)),
    "snr_gamma": (True, _POSITIVE, "above 0"),
    "data_scale": (False, _number(lambda v: 1e-3 <= v <= 1e3), "0.001 to 1000"),
    "label_dropout": (True, _SHARE, "at least 0 and below 1"),
    "augment": (True, lambda value: isinstance(value, str), "a text"),
    "warmup": (True, _whole(0, 2**63 - 1), "at least 0"),
    "betas": (True, _decays, "two decays of at least 0 and below 1"),
    "clip": (True, _POSITIVE, "above 0"),
    "ema": (True, _SHARE, "at least 0 and below 1"),
    "process": (False, lambda value: isinstance(value, str), "a text"),
}


def check(config: Any) -> None:
    """Raises :class:`brownian.Error` for a configuration that ``trainer import`` would refuse behind the training."""
    if not isinstance(config, Mapping):
        raise Error("the configuration is no table")
    for key, (required, allowed, words) in RULES.items():
        if key not in config:
            if required:
                raise Error(f"the configuration has no {key}")
        elif not allowed(config[key]):
            raise Error(f"{key} {config[key]!r} in the configuration: give {words}")
    share_of(config)
    name, numbers = schedule_of(config)
    if name == "geometric" and numbers[2] != config["timesteps"]:
        raise Error(f"the schedule {config['schedule']} has other levels than the {config['timesteps']} timesteps")
    if name == "learned" and (config["prediction"], config["weighting"]) != ("v", "variational"):
        raise Error("a learned schedule is learned on the bound: give prediction v and weighting variational")
    if name == "learned" and (config["zero_terminal_snr"] or config.get("data_scale", 1.0) != 1.0):
        raise Error("a learned schedule finds its own noise: give no zero_terminal_snr and no data_scale")


def class_counts(config: Mapping[str, Any]) -> list[int]:
    """The number of classes of each axis; empty without classes."""
    axes = config["classes"]
    counts = [axes] if isinstance(axes, int) else [len(axis["classes"]) for axis in axes]
    return [count for count in counts if count > 0]


def share_of(config: Mapping[str, Any]) -> float | None:
    """The share of ones of a binomial process, or ``None`` of the Gaussian one."""
    process = config.get("process", "gaussian")
    name, colon, text = process.partition(":")
    if process == "gaussian":
        return None
    if process == "binomial":
        return 0.5
    share = _parsed(text)
    if name != "binomial" or not colon or share is None or not 0 < share < 1:
        raise Error(f"the process {process!r}: give gaussian, binomial, or binomial: and a share between 0 and 1")
    return share


def schedule_of(config: Mapping[str, Any]) -> tuple[str, list[float]]:
    """Name and numbers of a schedule."""
    name, *texts = config["schedule"].split(":")
    numbers = [_parsed(text) for text in texts]
    whole = [number for number in numbers if number is not None]
    if len(numbers) not in SCHEDULES.get(name, ()) or len(whole) != len(numbers) or not _fit(name, whole):
        known = "linear[:BETA_1:BETA_T], cosine, sigmoid, learned[:BETA_1], geometric:SIGMA_MAX:SIGMA_MIN:LEVELS"
        raise Error(f"there is no schedule {config['schedule']!r}; this version knows {known}")
    return name, whole


def _fit(name: str, numbers: list[float]) -> bool:
    if name == "linear" and numbers:
        return 0 < numbers[0] <= numbers[1] < 1
    if name == "learned" and numbers:
        return 1e-9 <= numbers[0] <= 0.5
    if name == "geometric":
        return numbers[0] > numbers[1] > 0 and numbers[2] >= 2 and numbers[2] == int(numbers[2])
    return True


def _parsed(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
