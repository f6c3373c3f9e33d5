"""Noise schedules, as tables over timesteps.

Each function returns float64 of shape ``(timesteps,)`` whose element ``t - 1`` is ᾱ_t, the share of the signal's variance
that is left at timestep t: x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε. They are the schedules of ``trainer train --schedule``.
"""

from __future__ import annotations

from typing import Optional

import numpy as np
import numpy.typing as npt

from . import _native

Table = npt.NDArray[np.float64]


def linear(timesteps: int, beta_first: Optional[float] = None, beta_last: Optional[float] = None) -> Table:
    """β_t grows linearly from ``beta_first`` to ``beta_last`` (Ho et al. 2020).

    Without them β runs from 1e-4 to 0.02, times 1000/T: as ``trainer train --schedule linear``.
    """
    pace = 1000 / max(timesteps, 1)
    first = 1e-4 * pace if beta_first is None else beta_first
    last = 0.02 * pace if beta_last is None else beta_last
    return np.array(_native.linear(timesteps, first, last))


def cosine(timesteps: int, s: float = 0.008, max_beta: float = 0.999) -> Table:
    """ᾱ_t follows cos²(((t/T + s)/(1 + s))·π/2), with β_t cut off at ``max_beta`` (Nichol & Dhariwal 2021, eq. 17)."""
    return np.array(_native.cosine(timesteps, s, max_beta))


def sigmoid(
    timesteps: int, start: float = -3.0, end: float = 3.0, tau: float = 1.0, max_beta: float = 0.999
) -> Table:
    """ᾱ_t follows a sigmoid from ``start`` to ``end`` at temperature ``tau`` (Jabri et al. 2022)."""
    return np.array(_native.sigmoid(timesteps, start, end, tau, max_beta))


def geometric(highest: float, lowest: float, levels: int) -> Table:
    """Levels of noise ς_t whose ratios are equal, ς_1 = ``lowest``, ς_levels = ``highest`` (Song & Ermon 2019).

    ᾱ_t = 1/(1 + ς_t²); shape ``(levels,)``.
    """
    return np.array(_native.geometric(levels, lowest, highest))


def rescale_to_zero_terminal_snr(alpha_bar: npt.ArrayLike) -> Table:
    """Moves and scales √ᾱ so that ᾱ_T = 0 and ᾱ_1 stays (Lin et al. 2023, algorithm 1). A copy of shape ``(T,)``."""
    return np.array(_native.rescale_to_zero_terminal_snr(_table(alpha_bar, "alpha_bar")))


def evenly_kept(timesteps: int) -> Table:
    """Of the binomial process: ḡ_t = (T − t)/T, the share of bits still kept at timestep t (Sohl-Dickstein et al. 2015)."""
    return np.array(_native.evenly_kept(timesteps))


def _table(values: npt.ArrayLike, name: str) -> list[float]:
    """``values`` as a list, where they are one row of numbers."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise _native.Error(f"{name} has shape {array.shape}: give one number a timestep, of shape (T,)")
    rows: list[float] = array.tolist()
    return rows
