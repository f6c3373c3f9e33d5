"""Noise predictors as people write them in PyTorch, for the tests of `trainer import FILE.onnx`."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Conditioned(nn.Module):
    """Sines of the timestep through dense layers, plus a row of a table for each class: one bias a channel."""

    def __init__(self, channels, classes=()):
        super().__init__()
        self.register_buffer("frequencies", torch.exp(-math.log(10_000) * torch.arange(8) / 8))
        self.time = nn.Sequential(nn.Linear(16, 24), nn.SiLU(), nn.Linear(24, channels))
        self.tables = nn.ModuleList(nn.Embedding(count + 1, channels) for count in classes)

    def bias(self, t, classes=()):
        angles = t.float()[:, None] * self.frequencies
        bias = self.time(torch.cat([angles.sin(), angles.cos()], 1))
        for table, row in zip(self.tables, classes, strict=True):
            bias = bias + table(row)
        return bias


class Block(Conditioned):
    """A residual block with norms before the activations, where they cannot join a convolution."""

    def __init__(self, inputs, outputs):
        super().__init__(outputs, [4])
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, t, label):
        h = self.conv1(F.silu(self.norm1(x))) + self.bias(t, [label])[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h))) + self.skip(x)


class UNet(nn.Module):
    """Patches, two levels, a transposed convolution on the way up."""

    shape, classes = (3, 16, 16), [4]

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(12, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1)
        self.high, self.low, self.end = Block(8, 8), Block(12, 12), Block(16, 8)
        self.down = nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(12, 8, 4, stride=2, padding=1)

    def forward(self, x, t, label):
        high = self.high(self.first(F.pixel_unshuffle(x, 2)), t, label)
        low = self.low(self.down(high), t, label)
        x = self.end(torch.cat([self.up(low), high], 1), t, label)
        return F.pixel_shuffle(self.last(F.silu(x)), 2)


class Perceptron(Conditioned):
    """Dense layers over vectors."""

    shape, classes = (6,), [3]

    def __init__(self):
        super().__init__(12, self.classes)
        self.first, self.middle, self.last = nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, 6)
        self.norm = nn.BatchNorm1d(12)

    def forward(self, x, t, label):
        x = F.silu(self.norm(self.first(x) + self.bias(t, [label])))
        return self.last(x + F.relu(self.middle(x))) * 0.5


class Wave(Conditioned):
    """Gates of dilated convolutions over a signal, with two axes of classes."""

    shape, classes = (2, 32), [4, 2]

    def __init__(self):
        super().__init__(8, self.classes)
        self.first, self.last = nn.Conv1d(2, 8, 1), nn.Conv1d(8, 2, 3, padding=1)
        self.dilated, self.residual = nn.Conv1d(8, 16, 3, padding=2, dilation=2), nn.Conv1d(8, 8, 1)
        self.down = nn.Conv1d(8, 8, 4, stride=2, padding=1)
        self.up = nn.ConvTranspose1d(8, 8, 4, stride=2, padding=1)

    def forward(self, x, t, first, second):
        x = F.relu(self.first(x)) + self.bias(t, [first, second])[:, :, None]
        a, b = self.dilated(x).chunk(2, 1)
        x = (x + self.residual(torch.tanh(a) * torch.sigmoid(b))) / math.sqrt(2)
        return self.last(F.silu(self.up(self.down(x))))


class Oddments(Conditioned):
    """What else is supported: convolutions as patches, one filter a channel, more zeros on one side, means over windows,
    nearest enlargement, parts of the channels, factors and differences."""

    shape, classes = (3, 16, 16), []

    def __init__(self):
        super().__init__(8)
        self.patches, self.depthwise = nn.Conv2d(3, 8, 2, stride=2), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.pointwise, self.down = nn.Conv2d(8, 16, 1), nn.Conv2d(8, 16, 3, stride=2)
        self.norm, self.last = nn.BatchNorm2d(16), nn.Conv2d(22, 12, 1)
        self.up = nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x, t):
        x = self.patches(x) - self.bias(t)[:, :, None, None]
        a, b = F.silu(self.pointwise(F.relu(self.depthwise(x)))).chunk(2, 1)
        up = self.up(self.norm(self.down(F.pad(a, (0, 1, 0, 1)))))
        mean = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="nearest")
        same = F.avg_pool2d(F.interpolate(b, scale_factor=2, mode="nearest"), 2)
        return F.pixel_shuffle(self.last(torch.cat([up, (mean + b * 2 - 0.25)[:, :6], same], 1)), 2)


class Flat(Conditioned):
    """An image flattened for dense layers and made again."""

    shape, classes = (2, 4, 4), []

    def __init__(self):
        super().__init__(10)
        self.first, self.last = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 2, 3, padding=1)
        self.narrow, self.wide = nn.Linear(64, 10), nn.Linear(10, 64)

    def forward(self, x, t):
        h = self.narrow(F.relu(self.first(x)).flatten(1)) + self.bias(t)
        return self.last(self.wide(F.silu(h)).reshape(-1, 4, 4, 4)) + x


class Plain(Conditioned):
    """One convolution and what `part` makes of its result."""

    shape, classes = (3, 8, 8), []

    def __init__(self, part=None):
        super().__init__(4)
        self.first, self.part, self.last = nn.Conv2d(3, 4, 3, padding=1), part, nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, x, t):
        x = self.first(x) + self.bias(t)[:, :, None, None]
        return self.last(self.part(x) if self.part else x)


class Attention(nn.Module):
    def forward(self, x):
        pixels = x.flatten(2)
        return (pixels @ torch.softmax(pixels.transpose(1, 2) @ pixels, -1)).reshape(x.shape)


class Scaled(Plain):
    """Scale and shift by the timestep."""

    def forward(self, x, t):
        return self.last(self.first(x) * self.bias(t)[:, :, None, None])


class Mixed(Conditioned):
    """Timestep and class in one activation."""

    shape, classes = (3, 8, 8), [4]

    def __init__(self):
        super().__init__(4, self.classes)
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, x, t, label):
        return self.last(self.first(x) + F.silu(self.bias(t, [label]))[:, :, None, None])
