"""What a training keeps beside the weights: their average, and the learning rate of a step."""

from __future__ import annotations

import math
from typing import Any, Mapping

import torch
from torch import Tensor

from .network import Network


class Average:
    """The average of a network's weights, by name; that of its statistics are the network's own buffers.

    It starts short and grows to its full length: in step ``step`` the decay is min(``decay``, (1 + step)/(10 + step)).
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network, self.decay = network, decay
        self.weights = {name: value.detach().clone() for name, value in network.named_parameters()}

    @torch.no_grad()
    def update(self, step: int, statistics: Mapping[str, Tensor]) -> None:
        """Takes in the weights after the update number ``step``, from 0, and the statistics of its batch."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        weights = dict(self.network.named_parameters())
        torch._foreach_lerp_(list(self.weights.values()), [weights[name].detach() for name in self.weights], share)
        for name, value in self.network.named_buffers():
            if name in statistics:
                value.lerp_(statistics[name].to(value), share)

    def state(self) -> dict[str, Tensor]:
        """The averaged weights and statistics, as :func:`brownian.torch.save` takes them."""
        return {**self.network.state_dict(), **self.weights}


def learning_rate(config: Mapping[str, Any], step: int) -> float:
    """The rate of step ``step``, from 0: a linear rise over the warm-up, a cosine to zero over the run."""
    steps: int = config["steps"]
    warmup: int = max(min(config["warmup"], steps // 10), 1)
    rise = min((step + 1) / warmup, 1.0)
    fall = 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))
    return float(config["lr"]) * rise * fall
