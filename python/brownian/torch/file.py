"""Files of weights, which ``trainer run-to-torch`` writes and ``trainer import`` reads."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .._native import Error
from .checkpoint import replacing
from .config import check, class_counts
from .network import Network

AnyPath = Union[str, "os.PathLike[str]"]
#: The key of the metadata.
KEY = "brownian"
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass
class Run:
    """What a file holds."""

    #: The network with the file's weights.
    network: Network
    #: The configuration, as in a run's ``run.toml``.
    config: dict[str, Any]
    #: Steps that the weights were trained for.
    step: int
    #: The network's description.
    graph: dict[str, Any]


def load(path: AnyPath) -> Run:
    """Reads a file of ``trainer run-to-torch`` or of :func:`save`.

    Raises :class:`brownian.Error` for a file that is broken or does not say what it is.
    """
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError) as error:
        raise Error(f"{path}: cannot be read ({error})") from None
    if text is None:
        raise Error(f"{path}: does not say what it is; write it with `trainer run-to-torch`")
    try:
        header = json.loads(text)
        config, step, graph = header["config"], header["step"], header["graph"]
        check(config)
        if not (isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 2**31):
            raise ValueError(f"step {step!r}")
        network = Network(graph, config["timesteps"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        said = str(error) if isinstance(error, Error) else f"{type(error).__name__}: {error}"
        what = f"{path}: says of itself what is not understood ({said})"
        raise Error(f"{what}; write it with `trainer run-to-torch`") from None
    for name, tensor in state.items():
        if tensor.dtype not in FLOATS:
            raise Error(f"{path}: the tensor {name} is of {tensor.dtype}; weights are f16, bf16, f32 or f64")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise Error(f"{path}: {' '.join(str(error).split())}") from None
    for name, tensor in network.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise Error(f"{path}: the tensor {name} holds values that are not finite in f32")
        if name.endswith(".variance") and (tensor < 0).any():
            raise Error(f"{path}: the tensor {name} holds variances below 0")
    _try(path, network.eval(), config)
    network.train()
    return Run(network, config, step, graph)


def _try(path: AnyPath, network: Network, config: Mapping[str, Any]) -> None:
    """Computes an output once, of zeros: a graph that cannot be computed is no graph."""
    height, width, channels = config["image"]
    try:
        if list(network.shape) != config["image"] or (class_counts(config) or [0]) != (network.classes or [0]):
            raise ValueError(f"it is of {network.shape} and {network.classes} classes, the configuration is not")
        with torch.no_grad():
            x = torch.zeros(1, channels, height, width)
            found = network(x, torch.ones(1, dtype=torch.long)).shape
        if found != x.shape:
            raise ValueError(f"its output is of {list(found)}")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        said = " ".join(str(error).split())
        raise Error(f"{path}: holds a network that cannot be computed ({type(error).__name__}: {said})") from None


def save(
    path: AnyPath, run: Run, state: Optional[Mapping[str, torch.Tensor]] = None, step: Optional[int] = None
) -> None:
    """Writes a file for ``trainer import``: ``state``, or else the network's own weights, after ``step`` steps.

    The file is written under another name and renamed when it is whole. Raises :class:`brownian.Error` for a ``state``
    that is not the network's, by names and shapes.
    """
    own = run.network.state_dict()
    state = own if state is None else state
    for name in sorted({*own, *state}):
        shapes = [list(tensors[name].shape) if name in tensors else "missing" for tensors in (own, state)]
        if shapes[0] != shapes[1]:
            raise Error(f"{path}: the tensor {name} is {shapes[1]} in what is to be saved, {shapes[0]} in the network")
    header = {"step": run.step if step is None else step, "config": run.config, "graph": run.graph}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with replacing(Path(path)) as temporary:
        try:
            save_file(tensors, temporary, {KEY: json.dumps(header)})
        except SafetensorError as error:
            raise Error(f"{path}: cannot be written ({error})") from None


def build(
    net: AnyPath,
    image: Sequence[int],
    classes: Sequence[int] = (),
    timesteps: int = 1000,
    trainer: AnyPath = "trainer",
) -> Network:
    """The network of a TOML file, or of a preset's name, for images of ``image`` (height, width, channels).

    ``classes`` has the number of classes of each axis of labels. The description is made by the program ``trainer``,
    which must be installed; ``trainer`` says where. Raises :class:`brownian.Error` with the program's words.
    """
    of = ["--net", os.fspath(net)] if Path(net).suffix == ".toml" else [os.fspath(net)]
    command = [os.fspath(trainer), "net", *of, "--graph", "--image", "x".join(map(str, image))]
    if classes:
        command += ["--classes", ",".join(map(str, classes))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Error(f"cannot run {trainer} ({error}); install it with `cargo install --path trainer --locked`") from None
    if done.returncode:
        raise Error(done.stderr.strip().removeprefix("error: "))
    return Network(json.loads(done.stdout), timesteps)
