"""The images of a training, and what is drawn for a step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Mapping, Union

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .._native import Error
from .config import class_counts


class Arrays:
    """Images and labels in a folder, as ``trainer run-to-torch --data`` writes them, read as they are needed.

    Files ``images*.npy`` are ``[N, H, W, C]`` of bytes (0 is -1, 255 is 1) or float32 in [-1, 1], in the order of their
    names; each has its ``labels*.npy`` beside it, whole numbers ``[N, axes]`` or ``[N]``, if there are labels at all.
    Of ``parts`` processes, number ``part`` sees every image from its share of the whole, ``len(self)`` of them.
    """

    def __init__(
        self, folder: Union[str, "os.PathLike[str]"], config: Mapping[str, Any], part: int = 0, parts: int = 1
    ) -> None:
        files = sorted(Path(folder).glob("images*.npy"))
        if not files:
            raise Error(f"{folder}: holds no images*.npy; write them with `trainer run-to-torch --data`")
        self._classes = class_counts(config)
        self._images = [_mapped(file) for file in files]
        self._labels: list[npt.NDArray[Any]] = []
        for file, images in zip(files, self._images):
            if images.shape[1:] != tuple(config["image"]) or images.dtype not in (np.uint8, np.float32):
                found, image = f"{images.dtype} of {list(images.shape)}", ", ".join(map(str, config["image"]))
                raise Error(f"{file}: is {found}; the run takes uint8 or float32 of [N, {image}]")
            if self._classes:
                self._labels.append(self._labels_of(file, len(images)))
        self._files, self._all_bytes = files, all(images.dtype == np.uint8 for images in self._images)
        self._starts = np.cumsum([0] + [len(images) for images in self._images])
        total = int(self._starts[-1])
        self._first, end = total * part // parts, total * (part + 1) // parts
        self._count = end - self._first
        if self._count == 0:
            raise Error(f"{folder}: {total} images are too few for {parts} processes")

    def __len__(self) -> int:
        return self._count

    def get(self, numbers: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Images, float32 ``[n, C, H, W]``, and their classes, int64 ``[n, axes]`` with -1 for none."""
        numbers = numbers + self._first
        files = np.searchsorted(self._starts, numbers, side="right") - 1
        places = list(zip(files.tolist(), (numbers - self._starts[files]).tolist()))
        images = torch.from_numpy(np.stack([self._image(file, i) for file, i in places])).permute(0, 3, 1, 2)
        if images.dtype == torch.uint8:
            images = images.float() / 127.5 - 1
        if not self._labels:
            return images.contiguous(), torch.full((len(numbers), 1), -1)
        return images.contiguous(), torch.tensor(np.stack([self._labels[file][i] for file, i in places]))

    def _image(self, file: int, number: int) -> npt.NDArray[Any]:
        """An image, as bytes where all files hold bytes."""
        image: npt.NDArray[Any] = self._images[file][number]
        if image.dtype == np.uint8:
            return image if self._all_bytes else (image / np.float32(127.5) - np.float32(1)).astype(np.float32)
        # Points of a plane have no range.
        largest = np.abs(image).max()
        if not largest <= (1.001 if image.shape[0] * image.shape[1] > 1 else np.finfo(np.float32).max):
            what = f"image {number} has values up to {largest:g}"
            raise Error(f"{self._files[file]}: {what}; float32 arrays hold numbers in [-1, 1]")
        return image

    def _labels_of(self, file: Path, count: int) -> npt.NDArray[Any]:
        path = file.with_name(file.name.replace("images", "labels", 1))
        array, axes = _mapped(path), len(self._classes)
        if array.dtype.kind not in "iub" or array.shape not in ((count, axes), (count,))[: 2 if axes == 1 else 1]:
            found = f"{array.dtype} of {list(array.shape)}"
            raise Error(f"{path}: is {found}; {count} images on {axes} axes take whole numbers of [{count}, {axes}]")
        if array.dtype == np.uint64 and array.size and array.max() > 2**62:
            raise Error(f"{path}: holds class {array.max()}")
        labels = np.array(array, dtype=np.int64).reshape(count, axes)
        for axis, classes in enumerate(self._classes):
            if (labels[:, axis] < -1).any() or (labels[:, axis] >= classes).any():
                found = labels[:, axis][(labels[:, axis] < -1) | (labels[:, axis] >= classes)][0]
                raise Error(f"{path}: holds class {found} on axis {axis}; the run has 0 to {classes - 1}, -1 is none")
        return labels


class Draws:
    """What a process draws for a step, by the run's seed, the step and ``part`` alone: a resumed run goes on as it was.

    Images come in epochs, each in an order of its own; timesteps are spread evenly over the whole batch.
    """

    def __init__(self, config: Mapping[str, Any], count: int, part: int = 0, parts: int = 1) -> None:
        if config["augment"] != "none":
            what = f"the run's images vary by {config['augment']}"
            raise Error(f"{what}, which is not done here: start it with --augment none")
        self._config, self._count, self._part, self._parts = config, count, part, parts
        self._batch = config["batch"] // parts
        self._epoch: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def images(self, step: int) -> npt.NDArray[np.int64]:
        """The numbers of the images."""
        places = range(step * self._batch, (step + 1) * self._batch)
        return np.array([self._at(place) for place in places])

    def timesteps(self, step: int) -> Tensor:
        """int64 ``[batch]``, from 1."""
        place = np.arange(self._batch) * self._parts + self._part
        parts = (place + self._rng(1, step).random(self._batch)) / (self._batch * self._parts)
        t = (parts * self._config["timesteps"]).astype(np.int64) + 1
        return torch.from_numpy(np.minimum(t, self._config["timesteps"]))

    def drop(self, classes: Tensor, step: int) -> Tensor:
        """Classes as they are shown: of an image all are left out as often as the configuration says, and else, where
        there are several axes, each on its own as often again."""
        rng, share = self._rng(2, step), self._config["label_dropout"]
        gone = rng.random((len(classes), 1)) < share
        if classes.shape[1] > 1:
            gone = gone | (rng.random(tuple(classes.shape)) < share)
        return classes.masked_fill(torch.from_numpy(gone), -1)

    def generator(self, step: int, device: torch.device) -> torch.Generator:
        """The generator of the step's noise."""
        seed = int(self._rng(3, step).integers(1 << 62))
        return torch.Generator(device).manual_seed(seed)

    def _at(self, place: int) -> int:
        epoch, at = divmod(place, self._count)
        if self._epoch[0] != epoch:
            self._epoch = (epoch, self._rng(0, epoch).permutation(self._count))
        return int(self._epoch[1][at])

    def _rng(self, use: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self._config["seed"], use, number, self._part])


def _mapped(path: Path) -> npt.NDArray[Any]:
    """An array that stays in its file."""
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy raises what its readers do: OSError, ValueError, EOFError, tokenize's, zipfile's
        raise Error(f"{path}: cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(array, np.ndarray):
        raise Error(f"{path}: is no .npy file with one array")
    return array
