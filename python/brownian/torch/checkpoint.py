"""The state of a training in a file, and whether the files of a training can be written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch
from torch import nn

from .._native import Error

#: What a checkpoint holds.
KEYS = {"network", "average", "adam", "scaler", "step", "config"}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Another name to write under: the file takes its own when all of it is written, with the rights of a new file."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as error:
        raise Error(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)


def claim(*paths: Path) -> IO[str]:
    """Makes sure that files can be written, and that no other training writes the last of them while this is open.

    Raises :class:`brownian.Error` where that is not so.
    """
    for path in paths:
        if path.is_dir():
            raise Error(f"{path}: is a folder; give the name of a file")
        lock = path.with_name(path.name + ".lock")
        try:
            held = open(lock, "a")
        except OSError as error:
            raise Error(f"{path}: cannot be written ({error.strerror})") from None
        if path != paths[-1]:
            held.close()
            lock.unlink(missing_ok=True)
    try:
        # Neither every system nor every file system has locks.
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Error(f"{path}: another training writes it; stop that, or name another --out") from None
    except OSError:
        pass
    return held


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
    if not isinstance(state, dict) or not KEYS <= state.keys():
        raise Error(broken)
    if state["config"] != config:
        raise Error(f"{path}: is of another run than the start; name another with --checkpoint")
    if not (isinstance(state["step"], int) and 0 <= state["step"] <= config["steps"]):
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
        for name, value in average.items():
            value.copy_(state["average"][name])
        for part, name in zip(others, ("adam", "scaler")):
            part.load_state_dict(state[name])
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Error(f"{path}: does not fit the network ({' '.join(str(error).split())}); delete it") from None
    values = [*network.state_dict().values(), *average.values()]
    if not all(torch.isfinite(value).all() for value in values):
        raise Error(f"{path}: holds values that are not finite; delete it")
    step: int = state["step"]
    return step
