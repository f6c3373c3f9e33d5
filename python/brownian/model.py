"""Model files, and what is drawn from them."""

from __future__ import annotations

import operator
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Optional, TypedDict, Union, Unpack

import numpy as np
import numpy.typing as npt

from . import _native
from .plans import BIT_STEP, STEP, Plan

ClassLike = Union[int, str, Mapping[str, Union[int, str]]]
"""A class by number or name. On several label axes: a text such as ``"glasses+hair=long"``, or a class an axis,
``{"hair": "long", "glasses": 1}``; axes that are not named stay without a class. ``"cycle"``: image i gets class, or
combination, i modulo their number."""


class Draw(TypedDict, total=False):
    """What a draw is asked for beside its plan; :meth:`Model.sample` says what each is, and its default."""

    seed: int
    count: int
    classes: Union[None, ClassLike, Sequence[Optional[ClassLike]]]
    guidance: Optional[float]
    two_evaluations: bool
    first: int
    start_from: Optional[npt.ArrayLike]
    start: int
    image: Optional[npt.ArrayLike]
    keep: Optional[npt.ArrayLike]
    keep_noise: Optional[float]
    threads: Optional[int]


@dataclass(frozen=True)
class Axis:
    """An axis of labels."""

    name: str
    """Its name."""
    classes: tuple[str, ...]
    """The names of its classes, by number."""


def load(path: Union[str, PathLike[str]]) -> Model:
    """Reads a model file (``.brn``) and checks all of it.

    Raises :class:`OSError` where the file cannot be read, and :class:`brownian.Error` where it is no whole model.
    """
    return Model._of(_native.Model.read(path))


class Model:
    """A checked model file.

    Samples are float32 arrays in NHWC order, in about [-1, 1]; values of chains over bits are -1 and 1. Sound is of
    height 1: ``(count, 1, samples, channels)``. What is drawn depends on file, plan, seed, number of the image, classes
    and the images given alone: it is the same on every machine and every chip, and however many threads draw.
    """

    _file: _native.Model

    def __init__(self, data: bytes) -> None:
        """Checks the bytes of a model file. Raises :class:`brownian.Error` where they are no whole model."""
        self._file = _native.Model(bytes(memoryview(data)))

    def __reduce__(self) -> tuple[type[Model], tuple[bytes]]:
        return Model, (bytes(self),)

    @classmethod
    def _of(cls, native: _native.Model) -> Model:
        model = cls.__new__(cls)
        model._file = native
        return model

    @property
    def name(self) -> str:
        """The model's name."""
        return self._file.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a sample."""
        return self._file.shape

    @property
    def process(self) -> str:
        """``"gaussian"`` or, over bits, ``"binomial"``."""
        return "binomial" if self._file.is_binomial else "gaussian"

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of labels; empty for a model without classes."""
        return tuple(Axis(name, tuple(classes)) for name, classes in self._file.axes)

    @property
    def plans(self) -> dict[str, Plan]:
        """The file's sampling plans by name, the one that is taken by default first."""
        dtype = BIT_STEP if self._file.is_binomial else STEP
        plans = self._file.plans()
        return {
            name: Plan(name, clip, np.frombuffer(steps, dtype), deviation) for name, clip, deviation, steps in plans
        }

    @property
    def checksum(self) -> int:
        """The file's CRC-32, by which snapshots know their model."""
        return self._file.checksum

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from, as the trainer wrote it: data, training, choices of the export.

        Raises :class:`brownian.Error` where that is no TOML.
        """
        try:
            return tomllib.loads(self._file.provenance)
        except tomllib.TOMLDecodeError as error:
            raise _native.Error(f"the model's provenance is no TOML ({error})") from None

    @property
    def sample_rate(self) -> Optional[int]:
        """Samples a second of the recordings that a model of sound learned; ``None`` for others."""
        run = self.provenance.get("run")
        rate = run.get("sample_rate") if isinstance(run, dict) else None
        return rate if isinstance(rate, int) and rate > 0 else None

    def __bytes__(self) -> bytes:
        """The bytes of the file."""
        return self._file.data

    def __repr__(self) -> str:
        height, width, channels = self.shape
        plans = ", ".join(self.plans)
        return f"<brownian.Model {self.name!r}: {height}x{width}x{channels}, {self.process}, plans {plans}>"

    def inspect(self, board: Optional[str] = None) -> dict[str, Any]:
        """What the model needs on a chip, its ops and plans: what ``trainer inspect --json`` prints.

        With the name of a board, such as ``"pico"``, ``["board"]`` says how it fits there and how long it takes. Raises
        :class:`brownian.Error` for a board that there is not.
        """
        return self._file.inspect(board)

    def describe(self, board: Optional[str] = None) -> str:
        """The same as text: what ``trainer inspect`` prints."""
        return self._file.inspect_text(board)

    def sample(self, plan: Optional[str] = None, **arguments: Unpack[Draw]) -> npt.NDArray[np.float32]:
        """Draws samples of shape ``(count, height, width, channels)``, float32.

        - ``plan``: the name of one of :attr:`plans`; the file's first by default.
        - ``seed`` (0), ``first`` (0), ``count`` (1): images number ``first`` to ``first + count - 1`` of the seed. Image
          i is the same in every draw that has it.
        - ``classes``: a class for all, ``"cycle"``, or a sequence of which image i of the draw takes element i modulo
          its length; ``None``, the default, is without a class. See :data:`ClassLike`.
        - ``guidance`` (1): from 0 (as without a class) over 1 (the plain class) to 16. With ``two_evaluations`` it is
          classifier-free guidance as published (Ho & Salimans 2022), at twice the time.
        - ``start_from``, ``start`` (0): image-to-image. The chain begins at step ``start``, counted from 0, from these
          images with noise.
        - ``image``, ``keep``: inpainting. The pixels where ``keep``, of shape ``(height, width)``, is true are kept from
          ``image``; the others are drawn to suit them. With ``keep_noise`` (from 0 to 10) distributions are multiplied
          instead of pixels replaced, and what is known has noise of that standard deviation, which the draw takes off;
          the plan must then add noise.
        - ``threads``: all cores by default. They change nothing but the time.

        Images that are given have the shape ``(height, width, channels)``, or ``(n, height, width, channels)`` of which
        image i of the draw takes number i modulo n: floats in about [-1, 1], or uint8, where b stands for b/127.5 − 1.

        Raises :class:`brownian.Error` where that cannot be drawn, and :class:`TypeError` for an argument of a wrong type,
        before anything is.
        """
        draw = self._arguments(plan, arguments)
        samples = np.frombuffer(self._file.samples(draw), np.float32)
        return samples.reshape(draw["count"], *self.shape)

    def previews(self, plan: Optional[str] = None, **arguments: Unpack[Draw]) -> npt.NDArray[np.float32]:
        """What every step believes the image to be, x0_hat: float32 of shape ``(count, steps, height, width, channels)``.

        Arguments as of :meth:`sample`, whose samples are the last ones wherever a plan ends at x0_hat, as built plans
        do. Steps before ``start`` are not made and left out.
        """
        draw = self._arguments(plan, arguments)
        previews = np.frombuffer(self._file.previews(draw), np.float32)
        return previews.reshape(draw["count"], -1, *self.shape)

    def digests(self, plan: Optional[str] = None, **arguments: Unpack[Draw]) -> npt.NDArray[np.uint32]:
        """The CRC-32 of x_t after every step that is made: uint32 of shape ``(count, steps)``.

        Arguments as of :meth:`sample`. A chip that prints the same digests has made the same steps, bit for bit.
        """
        draw = self._arguments(plan, arguments)
        digests = np.frombuffer(self._file.digests(draw), np.uint32)
        return digests.reshape(draw["count"], -1)

    def _arguments(self, plan: Optional[str], asked: Draw) -> _native.Arguments:
        for name in asked:
            if name not in Draw.__annotations__:
                raise TypeError(f"there is no argument {name!r}; there are plan, {', '.join(Draw.__annotations__)}")
        if isinstance(plan, Plan):
            raise TypeError("plan is a Plan: a model draws with its file's own plans alone; give the name of one")
        if not (plan is None or isinstance(plan, str)):
            raise TypeError(f"plan is {plan!r}: give the name of a plan, or None")
        image, keep, start_from = asked.get("image"), asked.get("keep"), asked.get("start_from")
        keep_noise, threads = _number("keep_noise", asked.get("keep_noise")), asked.get("threads")
        if (image is None) != (keep is None):
            raise _native.Error("inpainting takes image and keep: give both")
        if keep_noise is not None and keep is None:
            raise _native.Error("keep_noise is of inpainting: give image and keep too")
        if asked.get("start") and start_from is None:
            raise _native.Error("start is of image-to-image: give start_from too")
        return {
            "plan": plan,
            "seed": _whole("seed", asked.get("seed", 0), 0, 2**64 - 1),
            "first": _whole("first", asked.get("first", 0), 0, 2**32 - 1),
            "count": _whole("count", asked.get("count", 1), 1, 2**32 - 1),
            "classes": _classes(asked.get("classes")),
            "guidance": _number("guidance", asked.get("guidance")),
            "two_evaluations": bool(asked.get("two_evaluations", False)),
            "start_from": None if start_from is None else self._images("start_from", start_from),
            "start": _whole("start", asked.get("start", 0), 0, 2**32 - 1),
            "image": None if image is None else self._images("image", image),
            "keep": None if keep is None else self._mask(keep),
            "keep_noise": keep_noise,
            "threads": 0 if threads is None else _whole("threads", threads, 1, 1024),
        }

    def _images(self, name: str, images: npt.ArrayLike) -> _native.Images:
        array = _array(name, images)
        if array.ndim not in (3, 4) or array.shape[-3:] != self.shape or array.size == 0:
            one = ", ".join(map(str, self.shape))
            raise _native.Error(f"{name} has shape {array.shape}: the model draws ({one}); give that, or (n, {one})")
        if array.dtype == np.uint8:
            return {"data": array.tobytes(), "is_bytes": True}
        if array.dtype.kind != "f":
            raise _native.Error(f"{name} is of {array.dtype}: give floats in about [-1, 1], or uint8")
        with np.errstate(over="ignore"):
            values = array.astype("<f4")
        if not np.isfinite(values).all():
            raise _native.Error(f"{name} has values that are not finite")
        return {"data": values.tobytes(), "is_bytes": False}

    def _mask(self, keep: npt.ArrayLike) -> bytes:
        mask = _array("keep", keep)
        height, width, _ = self.shape
        if mask.shape != (height, width):
            raise _native.Error(f"keep has shape {mask.shape}: give a truth value a pixel, of shape ({height}, {width})")
        if mask.dtype != np.bool_:
            raise _native.Error(f"keep is of {mask.dtype}: give bool, true for the pixels that are kept")
        return np.packbits(mask.reshape(-1), bitorder="little").tobytes()


def _array(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: fill what is masked (filled()) first")
    return np.asarray(values)


def _whole(name: str, number: Any, least: int, most: int) -> int:
    try:
        whole = operator.index(number)
    except TypeError:
        raise TypeError(f"{name} is {number!r}: give a whole number") from None
    if not least <= whole <= most:
        raise _native.Error(f"{name} {whole}: give {least} to {most}")
    return whole


def _number(name: str, number: Any) -> Optional[float]:
    if number is None:
        return None
    if isinstance(number, (str, bytes, bool)):
        raise TypeError(f"{name} is {number!r}: give a number")
    try:
        return float(number)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {number!r}: give a number") from None


def _classes(classes: Union[None, ClassLike, Sequence[Optional[ClassLike]]]) -> list[Any]:
    """One for each image of a draw, in turn."""
    if classes is None or isinstance(classes, (str, Mapping)):
        asked: list[Any] = [classes]
    elif isinstance(classes, np.ndarray):
        asked = list(np.atleast_1d(classes))
    elif isinstance(classes, Sequence) and not isinstance(classes, (bytes, bytearray)):
        asked = list(classes)
    else:
        asked = [classes]
    if not asked:
        raise _native.Error("classes is empty: give a class, one for each image, or None")
    return [_class(one) for one in asked]


def _class(one: Any) -> Any:
    if one is None or isinstance(one, str):
        return one
    if isinstance(one, Mapping):
        return {axis: _class(of_axis) for axis, of_axis in one.items() if of_axis is not None}
    if isinstance(one, (int, np.integer)) and not isinstance(one, bool):
        number = int(one)
        # No model has so many classes: the largest number is refused with the words for that.
        return number if 0 <= number < 0xFFFF else 0xFFFE
    raise _native.Error(f"class {one!r}: give a number, a name, or a class an axis")
