"""A training in PyTorch is the training here: the same loss at every step."""

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file  # noqa: E402
from trainer import example, start, trainer  # noqa: E402

from brownian import torch as bt  # noqa: E402
from brownian.torch.process import _weights  # noqa: E402

STEPS = 200
RUNS = {
    "images": "--data faces16 --preset tiny --accumulate 2",
    "epsilon, cosine": "--data digits --preset tiny --batch 16 --accumulate 2 --prediction epsilon --schedule cosine",
    # At the usual rate of 0.004 the first steps of a perceptron multiply the last bits of f32 by thousands: PyTorch's
    # own losses part by 1e-3 (256 points a step) to 1e-2 (16 or 1024) where each start weight is moved by half a unit
    # in its last place. At half of it they part by 4e-6, so that what is compared is the method. The bound on x0 weighs
    # small timesteps so much that it needs smaller rates.
    "vectors": "--data swissroll --preset nano --batch 256 --lr 0.002",
    "x0, variational": "--data swissroll --preset nano --batch 64 --lr 0.0005 --prediction x0 --weighting variational",
    "signals": "--data spoken --preset speech-half --batch 8 --accumulate 1",
    "learned": "--data digits --preset tiny --batch 16 --accumulate 2 --schedule learned:0.001 --timesteps 100",
    "bits": "--data heartbeat --preset nano --process binomial --accumulate 2 --lr 0.002",
    "bound of bits": "--data digits --preset tiny --batch 16 --process binomial:0.2 --weighting variational",
}


@pytest.mark.parametrize("name", RUNS)
def test_loss_curves_are_equal(name, tmp_path):
    run_folder, file = start(tmp_path, "--steps", STEPS, *RUNS[name].split())
    example("training_draws", run_folder, tmp_path / "draws.safetensors", STEPS)
    trainer("train", "--resume", "--out", run_folder)
    trainer("run-to-torch", run_folder, "--out", tmp_path / "trained.safetensors")
    with open(next(run_folder.glob("step-*")) / "loss.csv") as losses:
        expected = [float(row["loss"]) for row in csv.DictReader(losses)]

    draws, run = load_file(tmp_path / "draws.safetensors"), bt.load(file)
    config, network = run.config, run.network.train()
    process, average = bt.process_of(config, network), bt.Average(network, config["ema"])
    parts = config.get("accumulate", 1)
    adam = torch.optim.Adam(network.parameters(), betas=tuple(config["betas"]), eps=1e-8)
    found = []
    for step in range(STEPS):
        # Of a schedule that is learned x0 and the noise.
        x, target = (draws[part][step].permute(0, 3, 1, 2) for part in ("x", "target"))
        t, classes = (draws[part][step].long() for part in ("t", "classes"))
        adam.zero_grad()
        total, statistics = 0.0, {}
        for part in torch.arange(len(t)).chunk(parts):
            now = (x[part], target[part])
            if isinstance(process, bt.Learned):
                now = process.noise(now[0], t[part], now[1])
            loss = process.loss(network(now[0], t[part], classes[part]), *now, t[part]) / parts
            loss.backward()
            total += loss.item()
            for key, value in network.batch_statistics.items():
                statistics[key] = statistics.get(key, 0) + value / parts
        torch.nn.utils.clip_grad_norm_(network.parameters(), config["clip"])
        adam.param_groups[0]["lr"] = bt.learning_rate(config, step)
        adam.step()
        average.update(step, statistics)
        found.append(total)
    assert len(expected) == STEPS
    apart = np.abs(np.array(found) / np.array(expected) - 1)
    assert apart.max() < 1e-3, (name, apart.max(), int(apart.argmax()))
    assert np.median(expected[:20]) > 1.05 * np.median(expected[-20:]), "it learns"
    theirs = bt.load(tmp_path / "trained.safetensors").network.state_dict()
    for key, value in average.state().items():
        scale = theirs[key].abs().max()
        assert (value - theirs[key]).abs().max() < 0.02 * max(scale, 0.05), key


def test_noise_is_that_of_the_process():
    """Moments of x_t and of its target at some timesteps."""
    torch.manual_seed(1)
    gaussian = bt.Gaussian(np.linspace(0.99, 0.01, 50), "v", "min-snr", 5.0, 2.0)
    x0, t = torch.full((4000, 1, 1, 1), 0.5), torch.full((4000,), 20)
    bar = float(np.linspace(0.99, 0.01, 50)[19])
    x, target = gaussian.noise(x0, t, gaussian.random(x0))
    assert abs(x.mean() - bar**0.5) < 0.05 and abs(x.std() - (1 - bar) ** 0.5) < 0.03
    assert abs(target.mean() + (1 - bar) ** 0.5) < 0.05 and abs(target.std() - bar**0.5) < 0.03
    bits = bt.Binomial(10, 0.3)
    x, target = bits.noise(x0, torch.full((4000,), 6), bits.random(x0))
    assert (target == 1).all() and set(x.flatten().tolist()) == {-1.0, 1.0}
    assert abs((x > 0).float().mean() - (0.4 + 0.6 * 0.3)) < 0.03
    weights = _weights(np.array([0.9, 0.5]), "v", "min-snr", 5.0)
    assert np.allclose(weights, [6 / 10, 1.0])
