"""The repository's models."""

from pathlib import Path

import pytest

import brownian

ROOT = Path(__file__).parents[2]


def path(name: str) -> Path:
    """Where the model of that name lies, shipped or made for tests alone."""
    found = [folder / f"{name}.brn" for folder in (ROOT / "models", ROOT / "tests/models")]
    return next(file for file in found if file.exists())


@pytest.fixture(scope="session")
def digits() -> brownian.Model:
    return brownian.load(path("digits28-nano"))


@pytest.fixture(scope="session")
def odd() -> brownian.Model:
    """Three label axes, 9×13×3."""
    return brownian.load(path("odd"))


@pytest.fixture(scope="session")
def bits() -> brownian.Model:
    """Of the binomial process, 13×9×1."""
    return brownian.load(path("bits"))
