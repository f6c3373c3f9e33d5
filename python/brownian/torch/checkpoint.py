"""The state of a training in a file, and whether the files of a training can be written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .._native import Error

#: What a checkpoint holds.
KEYS = {"network", "average", "adam", "scaler", "step", "config"}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Another name to write under: the file takes its own when all of it is written, with the rights of a new file."""
    path = Path(os.path.realpath(path))
    temporary = path.with_name(path.name + ".tmp")
    try:
        if path.exists() and not path.is_file():
            raise Error(f"{path}: cannot be written (it is no file)")
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as error:
        raise Error(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def claimed(out: Path, kept: Path, *read: Path) -> Iterator[None]:
    """Makes sure that two files can be written and are none of those that are read, and that no other training writes
    them meanwhile.

    Raises :class:`brownian.Error` where that is not so.
    """
    with contextlib.ExitStack() as locks:
        for path in (out, kept):
            place = Path(os.path.realpath(path))
            others = [Path(os.path.realpath(other)) for other in ((kept if path == out else out), *read)]
            if place in others or any(other in place.parents for other in others):
                raise Error(f"{path}: is or lies in what the training reads or writes itself; give another name")
            try:
                if place.exists() and not place.is_file():
                    raise Error(f"{path}: is no file; give the name of one")
                lock = place.with_name(place.name + ".lock")
                held = locks.enter_context(open(lock, "a"))
            except (OSError, ValueError) as error:
                raise Error(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from None
            try:
                # Neither every system nor every file system has locks.
                with contextlib.suppress(ImportError):
                    import fcntl

                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Error(f"{path}: another training writes it; stop that, or name another --out") from None
            except OSError:
                pass
            locks.callback(lock.unlink, missing_ok=True)
        yield


def write(path: Path, state: dict[str, Any]) -> None:
    """Whole or not at all."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)


def read(path: Path, config: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """The state in a file, of a run with this configuration.

    Raises :class:`brownian.Error` for one that is broken or of another run.
    """
    broken = f"{path}: is no whole checkpoint; delete it, or name another with --checkpoint"
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception:  # torch.load raises what its readers do: EOFError, RuntimeError, struct.error, pickle's
        raise Error(broken) from None
    if not isinstance(state, dict) or not KEYS <= state.keys() or not isinstance(state["average"], dict):
        raise Error(broken)
    if state["config"] != config:
        raise Error(f"{path}: is of another run than the start; name another with --checkpoint")
    if isinstance(state["step"], bool) or not (isinstance(state["step"], int) and 0 <= state["step"] <= config["steps"]):
        raise Error(f"{path}: is of step {state['step']!r} of {config['steps']}; delete it")
    return state


def restore(
    path: Path,
    config: dict[str, Any],
    device: torch.device,
    network: nn.Module,
    average: dict[str, torch.Tensor],
    *others: Any,
) -> int:
    """Gives the parts of a training, Adam and a scaler behind the average, their state in a file; the step it is of.

    Raises :class:`brownian.Error` as :func:`read`, and for a state that does not fit or is not finite.
    """
    state = read(path, config, device)
    try:
        network.load_state_dict(state["network"])
        if shapes(state["average"]) != shapes(average):
            raise ValueError("the average is of other tensors")
        for name, value in average.items():
            value.copy_(state["average"][name])
        for part, name in zip(others, ("adam", "scaler")):
            settings = part.state_dict().get("param_groups")
            part.load_state_dict(state[name])
            if settings:
                check_adam(part, settings)
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Error(f"{path}: does not fit the network ({' '.join(str(error).split())}); delete it") from None
    values = [*network.state_dict().values(), *average.values()]
    if not all(torch.isfinite(value).all() for value in values):
        raise Error(f"{path}: holds values that are not finite; delete it")
    step: int = state["step"]
    return step


def shapes(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def check_adam(adam: torch.optim.Optimizer, settings: list[dict[str, Any]]) -> None:
    """Its settings are the training's, not the file's; its moments must be moments of its parameters."""
    for group, own in zip(adam.param_groups, settings):
        group.update({name: value for name, value in own.items() if name != "params"})
        for parameter in group["params"]:
            state = adam.state.get(parameter, {})
            for name in ("exp_avg", "exp_avg_sq") if state else ():
                moment = state[name]
                if moment.shape != parameter.shape or not torch.isfinite(moment).all():
                    raise ValueError(f"{name} of Adam is of another shape or not finite")
            if state and ((state["exp_avg_sq"] < 0).any() or not float(state["step"]) >= 0):
                raise ValueError("Adam's second moments or its steps are below 0")
