"""The trainer's programs, which the tests of `brownian.torch` run."""

import os
import subprocess
from pathlib import Path

import pytest


def program(name: str = "trainer") -> Path:
    """The program, or the example of that name, beside the one that BROWNIAN_TRAINER names."""
    found = os.environ.get("BROWNIAN_TRAINER")
    if found is None:
        pytest.skip("BROWNIAN_TRAINER names no program `trainer`")
    return Path(found) if name == "trainer" else Path(found).parent / "examples" / name


def trainer(*arguments) -> str:
    """Runs `trainer`, which must succeed; what it said."""
    return _run(program(), arguments)


def example(name: str, *arguments) -> str:
    return _run(program(name), arguments)


def refused(*arguments) -> str:
    """The error of a `trainer` that must fail, one line."""
    done = subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode in (1, 2), done
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def start(folder: Path, *options):
    """A run at its start in `folder`, and its file."""
    run, file = folder / "start", folder / "start.safetensors"
    trainer("train", "--only-start", "--out", run, *options)
    trainer("run-to-torch", run, "--out", file, "--raw", "--data", folder / "data")
    return run, file


def _run(path, arguments) -> str:
    done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
