"""Noise schedules, as tables over timesteps.

Each function returns float64 of shape ``(timesteps,)`` whose element ``t - 1`` is ᾱ_t, the share of the signal's variance
that is left at timestep t: x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε. They are the schedules of ``trainer train --schedule``.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Optional

import numpy as np
import numpy.typing as npt

from . import _native

Table = npt.NDArray[np.float64]


#: Most timesteps of a schedule.
MOST_TIMESTEPS = 1_000_000


def linear(timesteps: int, beta_first: Optional[float] = None, beta_last: Optional[float] = None) -> Table:
    """β_t grows linearly from ``beta_first`` to ``beta_last`` (Ho et al. 2020).

    Without them β runs from 1e-4 to 0.02, times 1000/T: as ``trainer train --schedule linear``; with them as
    ``--schedule linear:BETA_1:BETA_T``, such as DiffWave's ``linear(50, 1e-4, 0.05)``.
    """
    pace = 1000 / _count(timesteps)
    first = 1e-4 * pace if beta_first is None else float(beta_first)
    last = 0.02 * pace if beta_last is None else float(beta_last)
    return _checked(_native.linear(timesteps, first, last), f"linear from {first} to {last}", "β between 0 and 1")


def cosine(timesteps: int, s: float = 0.008, max_beta: float = 0.999) -> Table:
    """ᾱ_t follows cos²(((t/T + s)/(1 + s))·π/2), with β_t cut off at ``max_beta`` (Nichol & Dhariwal 2021, eq. 17)."""
    table = _native.cosine(_count(timesteps), s, max_beta)
    return _checked(table, f"cosine with s = {s}, max_beta = {max_beta}", "s above -1 and max_beta below 1")


def sigmoid(
    timesteps: int, start: float = -3.0, end: float = 3.0, tau: float = 1.0, max_beta: float = 0.999
) -> Table:
    """ᾱ_t follows a sigmoid from ``start`` to ``end`` at temperature ``tau`` (Jabri et al. 2022)."""
    what = f"sigmoid from {start} to {end} with tau = {tau}, max_beta = {max_beta}"
    advice = "start below end, tau above 0 and max_beta below 1"
    if not (tau > 0 and start < end):
        raise _native.Error(f"{what}: give {advice}")
    return _checked(_native.sigmoid(_count(timesteps), start, end, tau, max_beta), what, advice)


def geometric(highest: float, lowest: float, levels: int) -> Table:
    """Levels of noise ς_t whose ratios are equal, ς_1 = ``lowest``, ς_levels = ``highest`` (Song & Ermon 2019).

    ᾱ_t = 1/(1 + ς_t²); shape ``(levels,)``.
    """
    if not 0 < lowest < highest:
        raise _native.Error(f"geometric from {highest} to {lowest}: give levels above 0, the highest first")
    table = _native.geometric(_count(levels), lowest, highest)
    return _checked(table, f"geometric from {highest} to {lowest}", "levels above 0")


def rescale_to_zero_terminal_snr(alpha_bar: npt.ArrayLike) -> Table:
    """Moves and scales √ᾱ so that ᾱ_T = 0 and ᾱ_1 stays (Lin et al. 2023, algorithm 1). A copy of shape ``(T,)``."""
    table = _checked(_table(alpha_bar, "alpha_bar"), "alpha_bar", "a schedule")
    return np.array(_native.rescale_to_zero_terminal_snr(table.tolist()))


def evenly_kept(timesteps: int) -> Table:
    """Of the binomial process: ḡ_t = (T − t)/T, the share of bits still kept at timestep t (Sohl-Dickstein et al. 2015)."""
    return np.array(_native.evenly_kept(_count(timesteps)))


def _table(values: npt.ArrayLike, name: str) -> list[float]:
    """``values`` as a list, where they are one row of numbers."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise _native.Error(f"{name} has shape {array.shape}: give one number a timestep, of shape (T,)")
    rows: list[float] = array.tolist()
    return rows


def _count(timesteps: int) -> int:
    """``timesteps``, where there can be so many."""
    try:
        count = operator.index(timesteps)
    except TypeError:
        raise TypeError(f"the number of timesteps is {timesteps!r}: give a whole number") from None
    if not 1 <= count <= MOST_TIMESTEPS:
        raise _native.Error(f"{count} timesteps: give 1 to {MOST_TIMESTEPS}")
    return count


def _checked(values: Sequence[float], what: str, advice: str) -> Table:
    """``values`` where they are shares that fall from at most 1 to at least 0."""
    table = np.array(values)
    if not (np.isfinite(table).all() and (table >= 0).all() and (table <= 1).all() and (np.diff(table) <= 0).all()):
        raise _native.Error(f"{what}: ᾱ_t is no share that falls with t; give {advice}")
    return table
