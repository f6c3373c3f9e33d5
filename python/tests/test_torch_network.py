"""The same network in PyTorch and here computes the same, both ways."""

import json

import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402
from conftest import ROOT  # noqa: E402
from trainer import example, program, start, trainer  # noqa: E402

import brownian  # noqa: E402
from brownian import torch as bt  # noqa: E402

PRESETS = [
    (preset, data)
    for data in ("digits", "faces16")
    for preset in ("nano", "small", "medium", "tiny", "digits28", "digits28-nano")
] + [("speech", "spoken"), ("speech-half", "spoken"), ("diffwave", "spoken"), ("small", "heartbeat")]
PRESETS += [("nano", "swissroll"), ("small", "swissroll"), ("medium", "swissroll")]


def compared(run, network, folder):
    """The largest difference of outputs, as a share of the largest output."""
    example("float_outputs", run, folder / "outputs.safetensors")
    found = load_file(folder / "outputs.safetensors")
    with torch.no_grad():
        f = network.eval()(found["x"].permute(0, 3, 1, 2), found["t"].long(), found["classes"].long())
    expected = found["f"].permute(0, 3, 1, 2)
    assert expected.abs().max() > 1e-3
    return float((f - expected).abs().max() / expected.abs().max())


def shaken(network):
    """Weights and statistics as a training leaves them: none at its start value."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            noise = torch.randn_like(value)
            if name.endswith(".variance"):
                value.copy_(noise.abs() + 0.5)
            else:
                value.add_(0.1 * noise)


@pytest.mark.parametrize(("preset", "data"), PRESETS)
def test_outputs_are_equal(preset, data, tmp_path):
    torch.manual_seed(1)
    _, file = start(tmp_path, "--preset", preset, "--data", data)
    run = bt.load(file)
    shaken(run.network)
    bt.save(tmp_path / "shaken.safetensors", run, step=7)
    trainer("import", tmp_path / "shaken.safetensors", "--out", tmp_path / "back")
    assert compared(tmp_path / "back", run.network, tmp_path) < 1e-5
    # And out again, bit by bit.
    trainer("run-to-torch", tmp_path / "back", "--out", tmp_path / "again.safetensors")
    again = bt.load(tmp_path / "again.safetensors")
    assert again.step == 7 and again.config == run.config
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


@pytest.mark.parametrize("name", ["digits28-tuned", "digits28-bits", "digits28-ncsn"])
def test_shipped_runs_go_out_and_come_back(name, tmp_path):
    """A fine-tuned one, whose norms are folded; one over bits; one with levels of noise."""
    shipped = ROOT / "models/runs" / name
    trainer("run-to-torch", shipped, "--out", tmp_path / "out.safetensors")
    trainer("import", tmp_path / "out.safetensors", "--out", tmp_path / "back")
    for file in ("state.safetensors", "run.toml"):
        (before,), (after,) = (run.glob(f"step-*/{file}") for run in (shipped, tmp_path / "back"))
        assert before.read_bytes() == after.read_bytes(), file
    assert compared(shipped, bt.load(tmp_path / "out.safetensors").network, tmp_path) < 1e-5


@pytest.mark.parametrize(
    ("preset", "image", "classes"), [("small", [28, 28, 1], [10]), ("diffwave", [1, 300, 2], [2, 3])]
)
def test_a_network_is_built_of_toml(preset, image, classes, tmp_path):
    net = tmp_path / "net.toml"
    shape = "x".join(map(str, image))
    net.write_text(trainer("net", preset, "--image", shape))
    network = bt.build(net, image, classes, trainer=program())
    assert network.shape == tuple(image) and network.classes == classes
    # Drawn as the description says.
    blocks = json.loads(trainer("net", preset, "--image", shape, "--graph"))["params"]["blocks"]
    for block in blocks:
        ((kind, number),) = block["init"].items()
        value = network.get_parameter(block["name"])
        if kind == "constant":
            assert (value == number).all(), block["name"]
        elif value.numel() > 1000:
            assert abs(value.std() / number - 1) < 0.1, block["name"]
    # In training the norms take the batch's own statistics and the gradients reach every parameter.
    x = torch.randn(4, image[2], image[0], image[1])
    t = torch.tensor([1, 400, 700, 1000])
    f = network.train()(x, t, torch.tensor([[count - 1 for count in classes]] * 4))
    assert f.shape == x.shape
    f.square().mean().backward()
    assert all(value.grad is not None for value in network.parameters())
    names = {name for name, _ in network.named_buffers() if name.endswith((".mean", ".variance"))}
    assert names and set(network.batch_statistics) == names
    assert not torch.equal(network.eval()(x, t), f)


def test_what_cannot_be_built_says_why(tmp_path):
    net = tmp_path / "net.toml"
    net.write_text("kind = 'mlp'\nwidth = 8\nblocks = 0\nconditioning = { features = 8, hidden = 8 }\n")
    with pytest.raises(brownian.Error, match="blocks is 0; give 1 to 64"):
        bt.build(net, [1, 1, 2], trainer=program())
    with pytest.raises(brownian.Error, match="cannot run /no/trainer"):
        bt.build(net, [1, 1, 2], trainer="/no/trainer")
    file = tmp_path / "plain.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    with pytest.raises(brownian.Error, match="does not say what it is"):
        bt.load(file)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(brownian.Error, match="cannot be read"):
        bt.load(file)
