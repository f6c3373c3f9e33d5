"""Diffusion models on microcontrollers, from Python.

A model file (``.brn``) is loaded and drawn from by the same code that runs on chips: the same file, plan and seed give
the same bytes here and there.

>>> import brownian
>>> model = brownian.load("models/digits28.brn")
>>> digits = model.sample("fast5", seed=1, count=10, classes="cycle")
>>> digits.shape, digits.dtype
((10, 28, 28, 1), dtype('float32'))

- :func:`load` reads a file, :class:`Model` holds it.
- :mod:`brownian.schedules` has noise schedules, :mod:`brownian.plans` builds sampling plans on them.
- :class:`Error` is raised where something cannot be done; its message says why.
"""

from . import plans, schedules
from ._native import Error
from .model import Axis, ClassLike, Model, load
from .plans import Plan

__all__ = ["Axis", "ClassLike", "Error", "Model", "Plan", "load", "plans", "schedules"]
