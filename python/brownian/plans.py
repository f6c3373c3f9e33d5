"""Sampling plans: tables of steps, one row each, as model files hold them.

A plan of the Gaussian process is one affine update a step, with the network's output F::

    x0_hat = clip(k_x·x_t + k_eps·F)
    x      = a·x_t + b·x0_hat + c·x0_hat_prev + sigma·z
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from .schedules import _table

STEP = np.dtype(
    [
        ("timestep", "<u4"),
        ("time_row", "<u4"),
        ("k_x", "<f4"),
        ("k_eps", "<f4"),
        ("a", "<f4"),
        ("b", "<f4"),
        ("c", "<f4"),
        ("sigma", "<f4"),
        ("signal", "<f4"),
        ("noise", "<f4"),
    ]
)
"""A step of the Gaussian process. ``signal`` and ``noise`` are √ᾱ_t and √(1 − ᾱ_t) where the step begins."""

BIT_STEP = np.dtype(
    [
        ("timestep", "<u4"),
        ("time_row", "<u4"),
        ("own_logit", "<i4", (2,)),
        ("u", "<u4", (2,)),
        ("v", "<i4", (2,)),
        ("level", "<u4", (2,)),
    ]
)
"""A step over bits, in integers: logits in units of 2⁻¹⁶, ``u`` and ``level`` of 2⁻³², ``v`` of 2⁻³¹; by the bit."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A named plan."""

    name: str
    """Its name in a model file."""
    clip: bool
    """Whether x0_hat is clipped to [-1, 1]."""
    steps: npt.NDArray[Any]
    """Of dtype :data:`STEP` or, over bits, :data:`BIT_STEP`; shape ``(number of steps,)``. Read-only."""
    start_deviation: float = 1.0
    """The standard deviation of x_T; of no meaning over bits."""

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def timesteps(self) -> npt.NDArray[np.uint32]:
        """The timestep of every step, from noise to sample."""
        timesteps: npt.NDArray[np.uint32] = self.steps["timestep"]
        return timesteps

    def __repr__(self) -> str:
        return f"<brownian.Plan {self.name!r}: {len(self)} steps from t = {self.timesteps[0]}>"


def build(
    spec: str,
    alpha_bar: npt.ArrayLike,
    prediction: Literal["epsilon", "v", "x0"] = "v",
    errors: npt.ArrayLike = (),
) -> Plan:
    """Builds a plan of the Gaussian process, as ``trainer export --plan`` does.

    ``spec`` is ``[NAME=]METHOD:STEPS[:OPTION...]``, such as ``"ddim:50"`` or ``"fast=dpm:5:first=0.93"``. ``alpha_bar`` is
    a schedule of shape ``(T,)``, see :mod:`brownian.schedules`; ``prediction`` says what the network's output stands for.
    ``errors``, of shape ``(T,)``, are mean squared errors of x0_hat, which ``variance=learned`` needs. The rows of time
    biases (``time_row``) are a model's, and 0 here.

    Raises :class:`brownian.Error` where no such plan can be made.
    """
    rows = _table(alpha_bar, "alpha_bar")
    name, clip, deviation, steps = _native.build(spec, prediction, rows, _table(errors, "errors"))
    return Plan(name, clip, np.frombuffer(steps, STEP), deviation)


def times(spec: str, alpha_bar: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The timestep of every step of a plan, with a fraction where the plan has a schedule of its own.

    Such a plan is ``"diffwave:fast6"`` or ``"ddim:1e-4,0.01,0.3"``; its ``timesteps`` are the nearest whole ones.

    Raises :class:`brownian.Error` as :func:`build` does.
    """
    return np.array(_native.times(spec, _table(alpha_bar, "alpha_bar")))


def build_bits(spec: str, kept: npt.ArrayLike, mean: float = 0.5) -> Plan:
    """Builds a plan of the binomial process from a spec such as ``"bits:20"``.

    ``kept``, of shape ``(T,)``, is the share ḡ_t of bits that are kept, see
    :func:`brownian.schedules.evenly_kept`; ``mean`` is π, the probability of a 1 in pure noise.

    Raises :class:`brownian.Error` where no such plan can be made.
    """
    if not 0 < mean < 1:
        raise _native.Error(f"mean {mean}: give the probability of a 1, between 0 and 1")
    name, clip, _, steps = _native.build_bits(spec, _table(kept, "kept"), mean)
    return Plan(name, clip, np.frombuffer(steps, BIT_STEP))
