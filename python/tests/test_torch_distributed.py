"""Two processes train a run, one is killed, they go on, and the result is a run like any other."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from trainer import program, start, trainer  # noqa: E402

import brownian  # noqa: E402
from brownian import torch as bt  # noqa: E402

SCRIPT = ["-m", "brownian.torch.train"]


def torchrun(folder, *options, processes=2):
    """The script under torchrun, in a session of its own."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *SCRIPT]
    command += [folder / "start.safetensors", "--data", folder / "data", "--out", folder / "trained.safetensors"]
    # As many threads as a machine of two cores has for two processes.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*map(str, command), *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def workers(parent):
    """The processes that a launcher started."""
    with open(f"/proc/{parent}/task/{parent}/children") as children:
        return [int(child) for child in children.read().split()]


def blobs(folder):
    """400 images of 8×8 with a light spot in the left or the right half, and which; their folder."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=400)
    y, x = np.mgrid[0:8, 0:8]
    centres = np.stack([rng.uniform(2, 5, 400), 1.5 + 4 * labels + rng.uniform(-0.5, 0.5, 400)], 1)
    images = 255 * np.exp(-((y - centres[:, :1, None]) ** 2 + (x - centres[:, 1:, None]) ** 2) / 2)
    np.save(folder / "images.npy", images.astype(np.uint8)[..., None])
    np.save(folder / "labels.npy", labels.astype(np.uint8))
    return folder / "images.npy"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_killed_resumed_imported_exported_and_sampled(tmp_path):
    (tmp_path / "blobs").mkdir()
    data = blobs(tmp_path / "blobs")
    start(tmp_path, "--data", data, "--preset", "tiny", "--steps", 400, "--batch", 32, "--accumulate", 2)
    checkpoint = tmp_path / "trained.safetensors.pt"

    first = torchrun(tmp_path, "--every", "40")
    deadline = time.monotonic() + 300
    while not checkpoint.exists() and first.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert checkpoint.exists(), first.communicate()[0]
    victim = workers(first.pid)[-1]
    os.kill(victim, signal.SIGKILL)
    said, _ = first.communicate(timeout=300)
    assert first.returncode != 0, said
    stopped = torch.load(checkpoint, weights_only=True)["step"]
    assert 40 <= stopped < 400 and not (tmp_path / "trained.safetensors").exists()

    second = torchrun(tmp_path, "--every", "40")
    said, _ = second.communicate(timeout=600)
    assert second.returncode == 0, said
    assert f"step {stopped} of 400: 2 processes" in said and "step 400: loss" in said
    run = bt.load(tmp_path / "trained.safetensors")
    assert run.step == 400

    home, model = tmp_path / "home", tmp_path / "model.brn"
    trainer("import", tmp_path / "trained.safetensors", "--out", home)
    trainer("export", home, "--out", model, "--plan", "five=ddim:5")
    drawn = brownian.load(model).sample("five", seed=1, count=4)
    assert drawn.shape == (4, 8, 8, 1) and drawn.std() > 0.1
    trainer("sample", model, "--plan", "five", "--count", "4", "--npy", tmp_path / "samples.npy")
    tune = ["--steps", 2, "--matching", 0, "--class-prior-rounds", 0, "--plan", "five=ddim:5"]
    trainer("finetune", home, "--out", tmp_path / "tuned", *tune)
    trainer("export", tmp_path / "tuned", "--out", tmp_path / "tuned.brn")
    trainer("judge", "--data", data, "--test", data, "--out", tmp_path / "judge", "--epochs", 1)
    report = trainer("eval", model, "--judge", tmp_path / "judge", "--plan", "five", "--count", 100)
    assert "five" in report


def test_one_process_goes_on_where_it_stopped(tmp_path):
    """A training in two halves ends at the weights of one in a piece, to the bit."""
    start(tmp_path, "--data", "swissroll", "--preset", "nano", "--steps", 40, "--batch", 32)
    script = [sys.executable, *SCRIPT, tmp_path / "start.safetensors", "--data", tmp_path / "data"]

    def train(out, **settings):
        done = subprocess.run([*map(str, script), "--out", str(tmp_path / out), "--every", "20"], **settings,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    train("whole.safetensors")
    # The state after half of the steps, as a killed process leaves it.
    whole = torch.load(tmp_path / "whole.safetensors.pt", weights_only=True)
    assert whole["step"] == 40
    from brownian.torch import train as script_module

    keep = script_module.checkpoint.write
    try:
        halves = []

        def stop(path, state):
            keep(path, state)
            halves.append(state["step"])
            raise KeyboardInterrupt

        script_module.checkpoint.write = stop
        arguments = ["train", *map(str, script[3:]), "--out", str(tmp_path / "half.safetensors"), "--every", "20"]
        before, sys.argv = sys.argv, arguments
        with pytest.raises(KeyboardInterrupt):
            script_module.main()
        sys.argv = before
    finally:
        script_module.checkpoint.write = keep
    assert halves == [20]
    assert "step 20 of 40" in train("half.safetensors")
    one, two = (bt.load(tmp_path / f"{name}.safetensors").network.state_dict() for name in ("whole", "half"))
    assert all(torch.equal(one[name], two[name]) for name in one)
