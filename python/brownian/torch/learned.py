"""The process whose noise is learned with the network (Sohl-Dickstein et al. 2015), as ``trainer train`` has it."""

from __future__ import annotations

import math
from typing import Union

import torch
from torch import Tensor, nn

from .._native import Error
from .network import Network

#: The parameters beside the network's layers: ln of every fall of the log-SNR from t = 2, and ln(m_t/(1 − ᾱ_t)).
FALLS, ERRORS = "process.falls", "process.errors"
#: The largest logarithm, either way.
LARGEST = 60


class Learned(nn.Module):
    """x_t = √ᾱ_t·x0 + √(1 − ᾱ_t)·ε with ᾱ_t and the variances of the steps back from the parameters of ``network``.

    The log-SNR falls from that of ``beta_first`` by e^φ_t in every step; m_t = (1 − ᾱ_t)·e^μ_t is the mean squared
    error of x̂0. The loss is the variational bound, in nats a value, whose gradient reaches φ and μ too.
    """

    def __init__(self, network: Network, timesteps: int, beta_first: float) -> None:
        super().__init__()
        parameters = dict(network.named_parameters())
        if FALLS not in parameters or ERRORS not in parameters:
            raise Error(f"the schedule is learned, but the network has no {FALLS} and {ERRORS}")
        for name, count in ((FALLS, timesteps - 1), (ERRORS, timesteps)):
            values = parameters[name]
            if values.shape != (count,) or not (values.abs() <= LARGEST).all():
                raise Error(f"the tensor {name} is no table of {timesteps} timesteps with logarithms up to ±{LARGEST}")
        # The network's own: held in a tuple, so that they are not parameters twice.
        self._learned = (parameters[FALLS], parameters[ERRORS])
        self._first = math.log((1 - beta_first) / beta_first)

    @staticmethod
    def random(x0: Tensor, generator: Union[torch.Generator, None] = None) -> Tensor:
        """ε: normal numbers of the shape of ``x0``."""
        return torch.randn(x0.shape, generator=generator, device=x0.device)

    def alpha_bar(self) -> Tensor:
        """ᾱ_t for t = 1..=T, float64 ``[T]``."""
        return torch.sigmoid(self._log_snr())

    def noise(self, x0: Tensor, t: Tensor, random: Tensor) -> tuple[Tensor, Tensor]:
        """x_t and v, of clean images in [-1, 1] and :meth:`random` numbers; both have gradients by the schedule."""
        alpha, sigma = self._signal_and_noise(t)
        return alpha * x0 + sigma * random, alpha * random - sigma * x0

    def loss(self, f: Tensor, x: Tensor, target: Tensor, t: Tensor) -> Tensor:
        """L_T and T times the term of each image's timestep, a mean over the images in nats a value.

        With r = SNR_{t−1}/SNR_t, c = ᾱ_t·(r − 1) and the mean squared error u of F, a term is
        ½·(ln(1 + c·e^μ) + (1 + c·u)/(1 + c·e^μ) − 1), and that of t = 1 is ½·(ln(2π·m_1) + u·e^−μ).
        """
        log_snr, last = self._log_snr(), len(self._learned[1])
        alpha_bar, m = torch.sigmoid(log_snr[t - 1]), self._learned[1].double()[t - 1].exp()
        u = (f.float() - target).double().square().flatten(1).mean(1)
        fall = self._learned[0].double().exp()[(t - 2).clamp_min(0)]
        c = alpha_bar * torch.expm1(fall)
        ours, found = 1 + c * m, 1 + c * u
        later = 0.5 * (ours.log() + found / ours - 1)
        first = 0.5 * ((2 * math.pi * (1 - alpha_bar) * m).log() + u / m)
        with torch.no_grad():
            alpha, sigma = self._signal_and_noise(t)
            square = (alpha * x - sigma * target).double().square().flatten(1).mean(1)
        end = torch.sigmoid(log_snr[-1])
        prior = 0.5 * (end * square - end - torch.log1p(-end))
        return (prior + last * torch.where(t == 1, first, later)).mean().float()

    def _log_snr(self) -> Tensor:
        falls = self._learned[0].double().exp()
        return self._first - torch.cat([torch.zeros_like(falls[:1]), falls.cumsum(0)])

    def _signal_and_noise(self, t: Tensor) -> tuple[Tensor, Tensor]:
        log_snr = self._log_snr()[t - 1]
        alpha, sigma = torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()
        return alpha.float()[:, None, None, None], sigma.float()[:, None, None, None]
