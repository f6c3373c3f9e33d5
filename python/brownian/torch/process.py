"""Forward processes and losses, as ``trainer train`` has them."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import schedules
from .._native import Error
from . import config as config_rules
from .learned import Learned
from .network import Network


#: β_1 of a learned schedule where the run names none.
BETA_FIRST = 1e-4


def _column(table: Tensor, t: Tensor) -> Tensor:
    """The entries of timesteps, to be multiplied with images."""
    return table[t - 1][:, None, None, None]


class Gaussian(nn.Module):
    """x_t = √ᾱ_t·s·x0 + √(1 − ᾱ_t)·ε, what the network learns of it, and the weight of each timestep.

    ``alpha_bar`` is float64 ``[T]``; ``prediction`` is ``"epsilon"``, ``"v"`` or ``"x0"``, ``weighting`` ``"simple"``,
    ``"min-snr"`` or ``"variational"``; ``data_scale`` is s.
    """

    def __init__(
        self,
        alpha_bar: schedules.Table,
        prediction: str = "v",
        weighting: str = "min-snr",
        snr_gamma: float = 5.0,
        data_scale: float = 1.0,
    ) -> None:
        super().__init__()
        signal, noise, one = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar), np.ones_like(alpha_bar)
        of_x0, of_epsilon = {"epsilon": (0 * one, one), "v": (-noise, signal), "x0": (one, 0 * one)}[prediction]
        tables = {
            "x_of_x0": signal * data_scale,
            "x_of_epsilon": noise,
            "target_of_x0": of_x0 * data_scale,
            "target_of_epsilon": of_epsilon,
            "weights": _weights(alpha_bar, prediction, weighting, snr_gamma),
        }
        for name, table in tables.items():
            self.register_buffer(name, torch.tensor(table, dtype=torch.float32))

    @staticmethod
    def random(x0: Tensor, generator: Union[torch.Generator, None] = None) -> Tensor:
        """ε: normal numbers of the shape of ``x0``."""
        return torch.randn(x0.shape, generator=generator, device=x0.device)

    def noise(self, x0: Tensor, t: Tensor, random: Tensor) -> tuple[Tensor, Tensor]:
        """x_t and the target of F, of clean images in [-1, 1] and :meth:`random` numbers."""
        names = ("x_of_x0", "x_of_epsilon", "target_of_x0", "target_of_epsilon")
        a, b, c, d = (_column(getattr(self, name), t) for name in names)
        return a * x0 + b * random, c * x0 + d * random

    def loss(self, f: Tensor, x: Tensor, target: Tensor, t: Tensor) -> Tensor:
        """The weighted squared error of F, a mean over images and values."""
        weights: Tensor = getattr(self, "weights")
        return (weights[t - 1] * (f.float() - target).square().flatten(1).mean(1)).mean()


class Binomial(nn.Module):
    """Bits of which a share ḡ_t = (T − t)/T is kept and the others are drawn anew from B(``mean``); values are ±1.

    ``weighting`` is ``"simple"``, the cross-entropy of x0, or ``"variational"``, T times the terms of the bound.
    """

    def __init__(self, timesteps: int, mean: float = 0.5, weighting: str = "simple") -> None:
        super().__init__()
        kept = np.append(1.0, schedules.evenly_kept(timesteps))
        ones = kept[:, None] * np.array([0.0, 1.0]) + (1 - kept[:, None]) * mean
        now, then = kept[1:], kept[:-1]
        between = np.where(then > 0, now / np.maximum(then, 1e-300), 1.0)
        # q(x_t = b | x_s = 1) and q(x_t = b | x_s = 0), [T, b].
        from_one = np.stack([1 - (between + (1 - between) * mean), between + (1 - between) * mean], 1)
        from_zero = np.stack([1 - (1 - between) * mean, (1 - between) * mean], 1)
        one = ones[:-1][:, None, :]
        both = from_one[:, :, None] * one + from_zero[:, :, None] * (1 - one)
        with np.errstate(divide="ignore", invalid="ignore"):
            posterior = np.where(both > 0, from_one[:, :, None] * one / both, one)
        zero, last = ones[1:, 0], ones[1:, 1]
        self.timesteps, self.variational = timesteps, weighting == "variational"
        self.register_buffer("ones", torch.tensor(ones[1:], dtype=torch.float32))
        own = np.stack([np.log((1 - last) / (1 - zero)), np.log(last / zero)], 1)
        self.register_buffer("own", torch.tensor(own, dtype=torch.float64))
        self.register_buffer("posterior", torch.tensor(posterior, dtype=torch.float64))

    @staticmethod
    def random(x0: Tensor, generator: Union[torch.Generator, None] = None) -> Tensor:
        """Numbers from 0 to 1, evenly drawn, of the shape of ``x0``."""
        return torch.rand(x0.shape, generator=generator, device=x0.device)

    def noise(self, x0: Tensor, t: Tensor, random: Tensor) -> tuple[Tensor, Tensor]:
        """x_t and x0, both as values of ±1: bits are the values above 0."""
        bits = (x0 > 0).long()
        ones: Tensor = getattr(self, "ones")
        share = torch.where(bits == 1, _column(ones[:, 1], t), _column(ones[:, 0], t))
        return torch.where(random < share, 1.0, -1.0), bits.float() * 2 - 1

    def loss(self, f: Tensor, x: Tensor, target: Tensor, t: Tensor) -> Tensor:
        """The mean over images and values, in nats a bit."""
        own, posterior = (getattr(self, name)[t - 1][:, None, None, None] for name in ("own", "posterior"))
        now, start = x > 0, target > 0
        logit = f.double() + torch.where(now, own[..., 1], own[..., 0])
        if not self.variational:
            return F.softplus(torch.where(start, -logit, logit)).mean().float()
        at_x = torch.where(now[..., None], posterior[..., 1, :], posterior[..., 0, :])
        zero, one = at_x[..., 0], at_x[..., 1]
        p_hat, not_p_hat = torch.sigmoid(logit), torch.sigmoid(-logit)
        p, not_p = zero * not_p_hat + one * p_hat, (1 - zero) * not_p_hat + (1 - one) * p_hat
        q = torch.where(start, one, zero)
        # Terms of probability 0 have no gradient.
        entropy = torch.xlogy(q, q) + torch.xlogy(1 - q, 1 - q)
        divergence = entropy - torch.xlogy(q, p.clamp_min(1e-300)) - torch.xlogy(1 - q, not_p.clamp_min(1e-300))
        return (divergence * self.timesteps).mean().float()


def process_of(config: Mapping[str, Any], network: Optional[Network] = None) -> Union[Gaussian, Binomial, Learned]:
    """The process of a run's configuration.

    A learned schedule lies in the parameters of ``network``, and :class:`brownian.Error` is raised without it, as for a
    configuration that is none.
    """
    config_rules.check(config)
    timesteps, share = config["timesteps"], config_rules.share_of(config)
    if share is not None:
        return Binomial(timesteps, share, config["weighting"])
    schedule, numbers = config_rules.schedule_of(config)
    if schedule == "learned":
        if network is None:
            raise Error("the schedule is learned with the network: give the network as well")
        return Learned(network, timesteps, numbers[0] if numbers else BETA_FIRST)
    if schedule == "geometric":
        alpha_bar = schedules.geometric(numbers[0], numbers[1], int(numbers[2]))
    else:
        alpha_bar = getattr(schedules, schedule)(timesteps, *numbers)
    if config["zero_terminal_snr"]:
        alpha_bar = schedules.rescale_to_zero_terminal_snr(alpha_bar)
    scale = config.get("data_scale", 1.0)
    return Gaussian(alpha_bar, config["prediction"], config["weighting"], config["snr_gamma"], scale)


def _weights(alpha_bar: schedules.Table, prediction: str, weighting: str, gamma: float) -> schedules.Table:
    """The weight on the squared error of F for each timestep."""
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = alpha_bar / (1 - alpha_bar)
        if weighting == "min-snr":
            least = np.minimum(snr, gamma)
            return {"epsilon": least / snr, "v": (least + 1) / (snr + 1), "x0": least + 1}[prediction]
        if weighting == "simple":
            return np.ones_like(alpha_bar)
        before = np.append(1.0, alpha_bar[:-1])
        slope = {"epsilon": before / alpha_bar, "v": before, "x0": before / (1 - alpha_bar)}[prediction]
        weights = (1 - alpha_bar / before) / (2 * (1 - alpha_bar)) * slope
    table: schedules.Table = weights / weights.mean()
    return table
