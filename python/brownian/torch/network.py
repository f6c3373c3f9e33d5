"""A network's description as a module of PyTorch."""

from __future__ import annotations

import math
from typing import Any, Mapping, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._native import Error

#: The term added to a variance before its root is taken.
NORM_TINY = 1e-5


class Network(nn.Module):
    """The network of a graph, as ``trainer net --graph`` prints it.

    The names in its ``state_dict`` are those of the graph's parameters and statistics. Its table of time features
    reaches to ``timesteps``. Weights are drawn as the graph says when it is made; ``torch.manual_seed`` decides which.
    """

    #: Mean and variance of each norm for the last batch in training, by the name of the statistic.
    batch_statistics: dict[str, Tensor]

    def __init__(self, graph: Mapping[str, Any], timesteps: int = 1000) -> None:
        super().__init__()
        self._graph = graph
        self._timesteps = timesteps
        self._params = [_Place(self, block, nn.Parameter) for block in graph["params"]["blocks"]]
        self._stats = [_Place(self, block, None) for block in graph["stats"]["blocks"]]
        self._nodes = [_node(graph["nodes"], node) for node in graph["nodes"]]
        self._conditioning = graph["conditioning"]
        self.batch_statistics = {}
        if "features" in self._conditioning:
            features = _time_features(self._conditioning["features"], timesteps)
            self.register_buffer("_features", features, persistent=False)
        for number, (kind, settings, _, _) in enumerate(self._nodes):
            if kind == "positions":
                values = _positions(settings["pairs"], graph["nodes"][number]["shape"])
                self.register_buffer(f"_positions{number}", values, persistent=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return _shape(self._graph["input"])

    @property
    def classes(self) -> list[int]:
        """Number of classes of each axis; ``[0]`` of a network for unlabelled data."""
        return list(self._conditioning["classes"])

    def forward(self, x: Tensor, t: Tensor, classes: Optional[Tensor] = None, plan_row: int = 0) -> Tensor:
        """The output F, ``[N, C, H, W]``, for states ``x`` of that shape at timesteps ``t`` (int64 ``[N]``, from 1).

        ``classes`` is int64 ``[N, axes]``, a class each or -1 for none; without it there is none. ``plan_row`` is the
        row of a fine-tuned network's table of steps.
        """
        self._check(t, classes)
        columns = self._columns(t, classes, plan_row)
        values: list[Tensor] = []
        for number, (kind, settings, inputs, shape) in enumerate(self._nodes):
            a = values[inputs[0]] if inputs else x
            values.append(self._compute(number, kind, settings, a, [values[i] for i in inputs[1:]], shape, columns))
        return values[-1]

    def _compute(
        self,
        number: int,
        kind: str,
        settings: Any,
        x: Tensor,
        others: Sequence[Tensor],
        shape: list[int],
        columns: Tensor,
    ) -> Tensor:
        if kind == "conv":
            return self._conv(settings, x)
        if kind == "channel_bias":
            first = settings["first"]
            return x + columns[:, first : first + shape[2], None, None].to(x.dtype)
        if kind == "activation":
            activated: Tensor = ACTIVATIONS[settings](x)
            return activated
        if kind == "linear":
            # Over all values in the order height, width, channels.
            flat = x.permute(0, 2, 3, 1).flatten(1)
            return F.linear(flat, self._param(settings["weight"]), self._param(settings["bias"]))[:, :, None, None]
        if kind == "add":
            return x + others[0]
        if kind == "concat":
            return torch.cat([x, others[0]], 1)
        if kind == "gate":
            return torch.tanh(x) * torch.sigmoid(others[0])
        if kind == "upsample":
            rows, columns_of = settings["factor"]
            return x.repeat_interleave(rows, 2).repeat_interleave(columns_of, 3)
        if kind == "space_to_depth":
            return _space_to_depth(x, settings["block"], settings["pad"])
        if kind == "depth_to_space":
            return _depth_to_space(x, settings["block"], settings["crop"])
        if kind == "positions":
            values: Tensor = getattr(self, f"_positions{number}")
            return values.to(x.dtype).expand(x.shape[0], -1, -1, -1)
        return x

    def _conv(self, settings: Any, x: Tensor) -> Tensor:
        geometry, weight, norm = settings["geometry"], self._param(settings["weight"]), settings["norm"]
        bias = None if settings["bias"] is None else self._param(settings["bias"])
        groups = x.shape[1] if geometry["depthwise"] else 1
        y = F.conv2d(x, weight, bias, geometry["stride"], geometry["pad"], geometry["dilation"], groups)
        if norm is None:
            return y
        gamma, beta = self._param(norm["gamma"]), self._param(norm["beta"])
        mean, variance = (self._stats[norm[name]] for name in ("mean", "variance"))
        if not self.training:
            return F.batch_norm(y, mean.value(), variance.value(), gamma, beta, False, 0.0, NORM_TINY)
        # With a momentum of 1 these become the batch's own, the variance an unbiased one.
        batch = [torch.zeros_like(gamma, requires_grad=False) for _ in range(2)]
        y = F.batch_norm(y, batch[0], batch[1], gamma, beta, True, 1.0, NORM_TINY)
        count = y.numel() // y.shape[1]
        self.batch_statistics[mean.name] = batch[0]
        self.batch_statistics[variance.name] = batch[1] * ((count - 1) / count)
        return y

    def _columns(self, t: Tensor, classes: Optional[Tensor], plan_row: int) -> Tensor:
        """The bias columns of every image: those of its timestep and a row an axis."""
        spec = self._conditioning
        h = self._time_columns(t)
        table, first = self._param(spec["class_table"]), 0
        for axis, count in enumerate(spec["classes"]):
            if classes is None:
                rows = torch.full_like(t, first + count)
            else:
                rows = first + torch.where(classes[:, axis] < 0, count, classes[:, axis])
            h = h + table[rows]
            first += count + 1
        if spec["plan_table"] is not None:
            h = h + self._param(spec["plan_table"])[plan_row]
        return h

    def _check(self, t: Tensor, classes: Optional[Tensor]) -> None:
        """Raises :class:`brownian.Error` for a timestep or a class that there is not, where a look costs nothing."""
        if t.device.type != "cpu" or len(t) == 0:
            return
        if t.min() < 1 or t.max() > self._timesteps:
            raise Error(f"t goes from {t.min()} to {t.max()}; the network has timesteps 1 to {self._timesteps}")
        if classes is not None:
            counts = torch.tensor(self.classes)
            if classes.dim() != 2 or classes.shape[1] != len(counts) or (classes >= counts.clamp_min(1)).any():
                found = f"{list(classes.shape)} with classes up to {classes.max()}"
                raise Error(f"classes are {found}; the network takes [N, {len(counts)}] with classes below {self.classes}")

    def _time_columns(self, t: Tensor) -> Tensor:
        """W·silu(W2·silu(W1·features(t) + b1) + b2) + b; of an imported ONNX network a row of its table."""
        spec = self._conditioning
        if "time_table" in spec:
            return self._param(spec["time_table"])[t - 1]
        h: Tensor = getattr(self, "_features")[t]
        for number, (weight, bias) in enumerate(spec["layers"]):
            h = F.linear(h if number == 0 else F.silu(h), self._param(weight), self._param(bias))
        return h

    def _param(self, block: int) -> Tensor:
        return self._params[block].value()


class _Place:
    """A named tensor in the tree of modules that makes the names of a ``state_dict``."""

    def __init__(self, root: nn.Module, block: Mapping[str, Any], kind: Optional[type[nn.Parameter]]) -> None:
        self.name: str = block["name"]
        *path, self._last = self.name.split(".")
        self._module = root
        for part in path:
            if part not in self._module._modules:
                self._module.add_module(part, nn.Module())
            self._module = self._module.get_submodule(part)
        values = _start(block)
        if kind is None:
            self._module.register_buffer(self._last, values)
        else:
            self._module.register_parameter(self._last, kind(values))

    def value(self) -> Tensor:
        found: Tensor = getattr(self._module, self._last)
        return found


def _start(block: Mapping[str, Any]) -> Tensor:
    """Start values of a block, in the order of PyTorch."""
    shape = list(block["shape"])
    if len(shape) == 4:
        shape = [shape[0], shape[3], shape[1], shape[2]]
    ((kind, number),) = block["init"].items()
    return torch.full(shape, float(number)) if kind == "constant" else torch.randn(shape) * number


def _shape(shape: Mapping[str, int]) -> tuple[int, int, int]:
    return shape["height"], shape["width"], shape["channels"]


#: Functions by the name that a graph has for them.
ACTIVATIONS = {"silu": F.silu, "relu": F.relu}

#: Inputs of each op.
KINDS = {
    "input": 0,
    "space_to_depth": 1,
    "depth_to_space": 1,
    "conv": 1,
    "linear": 1,
    "channel_bias": 1,
    "activation": 1,
    "add": 2,
    "concat": 2,
    "upsample": 1,
    "gate": 2,
    "positions": 1,
}


def _node(nodes: Sequence[Any], node: Mapping[str, Any]) -> tuple[str, Any, list[int], list[int]]:
    """Kind, settings, inputs and shape of a node."""
    ((kind, settings),) = node["op"].items()
    if KINDS.get(kind) != len(node["inputs"]):
        count = len(node["inputs"])
        raise Error(f"node {node['name']} is a {kind} of {count} inputs, which this version does not know")
    if kind == "activation" and settings not in ACTIVATIONS:
        raise Error(f"node {node['name']} is the activation {settings}, which this version does not know")
    return kind, settings, list(node["inputs"]), list(_shape(node["shape"]))


def _time_features(count: int, timesteps: int) -> Tensor:
    """Sines, then cosines, of every timestep from 0 (Vaswani et al. 2017, section 3.5): ``[timesteps + 1, count]``."""
    half = count // 2
    rates = torch.exp(-torch.arange(half, dtype=torch.float64) / half * math.log(10_000))
    angles = torch.arange(timesteps + 1, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1).float()


def _positions(pairs: int, shape: Mapping[str, int]) -> Tensor:
    """√2·sin(π·2^k·u) and √2·cos(π·2^k·u) of columns, then of rows: ``[1, channels, H, W]``; a side of 1 has none."""
    height, width, _ = _shape(shape)
    waves = []
    for axis, size in ((3, width), (2, height)):
        if size > 1:
            place = math.pi * (torch.arange(size, dtype=torch.float64) + 0.5) / size
            for k in range(pairs):
                for wave in (torch.sin, torch.cos):
                    line = wave(place * 2**k) * math.sqrt(2)
                    sides = (1, -1) if axis == 3 else (-1, 1)
                    waves.append(line.view(1, 1, *sides).expand(1, 1, height, width))
    return torch.cat(waves, 1).float()


def _space_to_depth(x: Tensor, block: Sequence[int], pad: Sequence[int]) -> Tensor:
    """Output channel (dy·columns + dx)·C + c, of zeros below and to the right too."""
    (rows, columns), x = block, F.pad(x, (0, pad[1], 0, pad[0]))
    n, c, h, w = x.shape
    x = x.view(n, c, h // rows, rows, w // columns, columns).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(n, rows * columns * c, h // rows, w // columns)


def _depth_to_space(x: Tensor, block: Sequence[int], crop: Sequence[int]) -> Tensor:
    rows, columns = block
    n, c, h, w = x.shape
    x = x.view(n, rows, columns, c // (rows * columns), h, w).permute(0, 3, 4, 1, 5, 2)
    x = x.reshape(n, c // (rows * columns), h * rows, w * columns)
    return x[:, :, : h * rows - crop[0], : w * columns - crop[1]]
