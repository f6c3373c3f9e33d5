"""Draws against the goldens of the repository, which every emulated core reproduces too."""

import tomllib

import numpy as np
import pytest
from conftest import ROOT, path

import brownian

FILES = sorted((ROOT / "tests/goldens").glob("*.toml"))
SEED = 3


def cycle(model: brownian.Model, number: int) -> dict[str, int]:
    """Combination number `number` of the model's classes, the first axis changing first."""
    classes = {}
    for axis in model.axes:
        number, classes[axis.name] = divmod(number, len(axis.classes))
    return classes


def hexadecimal(digests: np.ndarray) -> str:
    assert digests.shape[0] == 1
    return " ".join(f"{digest:08x}" for digest in digests[0])


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.stem)
def golden(request):
    return brownian.load(path(request.param.stem)), tomllib.loads(request.param.read_text())


def test_there_are_goldens():
    assert len(FILES) >= 6


def test_chains(golden):
    model, goldens = golden
    assert len(bytes(model)) == goldens["model_len"]
    for chain in goldens["chain"]:
        seed = chain["seed"]
        found = model.digests(chain["plan"], seed=seed, classes=cycle(model, seed))
        assert hexadecimal(found) == chain["digests"], (model.name, chain["plan"], seed)


def test_guidance_editing_and_inpainting(golden):
    model, goldens = golden
    cases = {case["words"]: case["digests"] for case in goldens["case"] if "=seed" in case["words"]}
    height, width, _ = model.shape
    keep = np.arange(height * width).reshape(height, width) < height // 2 * width
    words = {text: dict(word.split("=", 1) for word in text.split()) for text in cases}
    plan = next(word["plan"] for word in words.values() if word.get("from") == "1")
    image = model.sample(plan, seed=SEED + 1, classes=cycle(model, SEED + 1))[0]
    image = np.floor((image + np.float32(1)) * np.float32(127.5) + np.float32(0.5)).astype(np.uint8)
    checked = set()
    for text, word in words.items():
        asked = {"seed": SEED, "classes": cycle(model, SEED)}
        if "guidance" in word:
            asked["guidance"] = int(word["guidance"]) / 256
        if word.get("evaluations") == "2":
            asked["two_evaluations"] = True
        if "from" in word:
            asked |= {"start_from": image, "start": int(word["from"])}
        if "inpaint" in word or "multiply" in word:
            asked |= {"image": image, "keep": keep}
        if "multiply" in word:
            asked["keep_noise"] = 0.0
        checked |= word.keys()
        assert hexadecimal(model.digests(word["plan"], **asked)) == cases[text], (model.name, text)
    assert {"from", "inpaint"} <= checked
