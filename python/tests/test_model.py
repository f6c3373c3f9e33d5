"""Files, and what is said of them."""

import copy
import pickle

import numpy as np
import pytest
from conftest import path

import brownian


def test_a_model_says_what_it_is(digits, odd):
    assert (digits.name, digits.shape, digits.process) == ("digits28-nano", (28, 28, 1), "gaussian")
    assert digits.axes == (brownian.Axis("class", tuple("0123456789")),)
    assert "fast5" in digits.plans and "28x28x1" in repr(digits)
    assert digits.provenance["run"]["preset"] == "digits28-nano" and digits.sample_rate is None
    assert digits.checksum == int.from_bytes(bytes(digits)[-4:], "little")
    again = brownian.Model(bytes(digits))
    assert np.array_equal(again.sample("fast5"), digits.sample("fast5"))


def test_plans_are_tables(digits, bits):
    plan = digits.plans["fast5"]
    assert (plan.name, plan.clip, len(plan), plan.steps.dtype) == ("fast5", True, 5, brownian.plans.STEP)
    assert (np.diff(plan.timesteps.astype(int)) < 0).all()
    over_bits = bits.plans["bits5"]
    assert over_bits.steps.dtype == brownian.plans.BIT_STEP and over_bits.steps["u"].shape == (5, 2)


def test_inspection_has_the_needs(digits, bits):
    report = digits.inspect()
    assert (report["name"], report["process"], report["shape"]) == ("digits28-nano", "gaussian", (28, 28, 1))
    assert report["flash"] == len(bytes(digits)) and report["arena"] >= report["arena_lower_bound"] > 1000
    assert sum(op["macs"] for op in report["ops"]) == report["macs_per_step"] and "board" not in report
    board = digits.inspect(board="pico")["board"]
    assert board["excess"] is None and 0 < board["seconds_per_step"] < 1
    assert "Raspberry Pi Pico" in digits.describe(board="pico")
    assert "digits28-nano (format" in digits.describe() and "plan fast5: 5 steps" in digits.describe()
    assert bits.inspect()["state_element"] == "bits"
    with pytest.raises(brownian.Error, match="no board 'pica': there are pico, pico2"):
        digits.inspect(board="pica")


def test_files_that_are_no_models(digits, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.brn: cannot be read"):
        brownian.load(tmp_path / "nothing.brn")
    good = bytes(digits)
    for bad in (b"", good[:100], good[:-1], good[:5000] + bytes([good[5000] ^ 1]) + good[5001:]):
        with pytest.raises(brownian.Error):
            brownian.Model(bad)
        (tmp_path / "bad.brn").write_bytes(bad)
        with pytest.raises(brownian.Error, match="bad.brn: "):
            brownian.load(tmp_path / "bad.brn")


def test_sequences_without_classes():
    beats = brownian.load(path("heartbeat"))
    assert (beats.shape, beats.process, beats.axes) == ((1, 1, 20), "binomial", ())
    samples = beats.sample("bits100", count=20, seed=1)
    assert samples.shape == (20, 1, 1, 20)
    # Every fifth is a beat.
    assert (samples.sum(axis=-1) == 4 - 16).mean() > 0.9
    with pytest.raises(brownian.Error, match="not conditioned on classes"):
        beats.sample(classes=0)
    points = brownian.load(path("swissroll")).sample("noisy5", count=50, seed=1)
    assert points.shape == (50, 1, 1, 2) and points.std() > 0.1


def test_models_are_copied_and_pickled(digits):
    for again in (pickle.loads(pickle.dumps(digits)), copy.deepcopy(digits), brownian.Model(bytearray(bytes(digits)))):
        assert bytes(again) == bytes(digits)
        assert np.array_equal(again.digests("fast5"), digits.digests("fast5"))
    with pytest.raises(TypeError):
        brownian.Model("text")
