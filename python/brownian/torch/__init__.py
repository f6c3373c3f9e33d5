"""Networks of Brownian as PyTorch modules: train them on GPUs and many machines, and bring them home.

Needs the extra ``torch``: ``pip install brownian[torch]``. A file of ``trainer run-to-torch`` holds the weights and
everything else that a training needs; ``trainer import`` makes a run of what :func:`save` writes.

>>> from brownian import torch as bt
>>> start = bt.load("start.safetensors")  # doctest: +SKIP
>>> f = start.network(x, t, classes)      # doctest: +SKIP

- :func:`build` makes a :class:`Network` of a network's TOML file, :func:`load` of a file with weights.
- :func:`process_of` makes the forward process and the loss of a run's configuration.
- :class:`Average` is the average of the weights, :func:`learning_rate` the rate of a step.
- ``python -m brownian.torch.train`` is the training script.

Activations are ``[N, C, H, W]`` and weights of convolutions ``[O, I, KH, KW]``, where a run has ``[N, H, W, C]`` and
``[O, KH, KW, I]``; all other tensors are the same on both sides.
"""

from .data import Arrays, Draws
from .file import Run, build, load, save
from .learned import Learned
from .network import Network
from .process import Binomial, Gaussian, process_of
from .schedule import Average, learning_rate

__all__ = [
    "Arrays",
    "Average",
    "Binomial",
    "Draws",
    "Gaussian",
    "Learned",
    "Network",
    "Run",
    "build",
    "learning_rate",
    "load",
    "process_of",
    "save",
]
