"""Networks that `torch.onnx` exports become runs that answer what they did; others are refused by name."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
import onnx  # noqa: E402
import brownian.torch as bt  # noqa: E402
import onnx_networks as networks  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402
from test_torch_network import compared  # noqa: E402
from trainer import example as run_example  # noqa: E402
from trainer import refused, trainer  # noqa: E402

#: What the networks predict, which no ONNX file says.
V = ["--prediction", "v"]
EXPORTERS = pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "script"])


def trained(network):
    """The network with norms and weights as after a training, far from those at the start."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
            nn.init.normal_(layer.running_mean, std=0.5)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return network.eval()


def exported(network, file, dynamo=True):
    """Writes the network's ONNX file."""
    labels = [torch.zeros(1, dtype=torch.long) for _ in (None, *network.classes)]
    names = ["x", "t", *(["class"] if len(network.classes) == 1 else ["first", "second"][: len(network.classes)])]
    example = (torch.zeros(1, *network.shape), *labels)
    torch.onnx.export(network, example, file, input_names=names, output_names=["out"], dynamo=dynamo)
    return file


def data(network, folder):
    """A data set of such images and classes."""
    channels, *sides = network.shape
    height, width = [1] * (2 - len(sides)) + sides
    rng = np.random.default_rng(0)
    arrays = {"images": rng.integers(0, 256, (32, height, width, channels), dtype=np.uint8)}
    if network.classes:
        arrays["labels"] = np.stack([np.arange(32) % count for count in network.classes], 1).squeeze().astype(np.uint8)
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def difference(network, run, folder, first=0):
    """The largest difference between the run's float network and PyTorch's, as a share of the largest answer."""
    run_example("float_outputs", run, folder / "outputs.safetensors")
    found = load_file(folder / "outputs.safetensors")
    images = found["x"].permute(0, 3, 1, 2).reshape(-1, *network.shape)
    counts = torch.tensor(network.classes)
    classes = [row.long() for row in torch.where(found["classes"] < 0, counts, found["classes"]).T] if len(counts) else []
    with torch.no_grad():
        wanted = network(images, found["t"].long() - 1 + first, *classes).reshape(images.shape)
    ours = found["f"].permute(0, 3, 1, 2).reshape(images.shape)
    return float((ours - wanted).abs().max() / wanted.abs().max())


@EXPORTERS
@pytest.mark.parametrize("name", ["UNet", "Perceptron", "Wave", "Oddments", "Flat"])
def test_equals_pytorch(name, dynamo, tmp_path):
    network = trained(getattr(networks, name)())
    file = exported(network, tmp_path / "net.onnx", dynamo)
    trainer("import", file, "--data", data(network, tmp_path), "--layout", "nhwc", *V, "--out", tmp_path / "run")
    assert difference(network, tmp_path / "run", tmp_path) < 1e-5
    # The run goes to PyTorch again, as ours do.
    trainer("run-to-torch", tmp_path / "run", "--out", tmp_path / "back.safetensors")
    assert compared(tmp_path / "run", bt.load(tmp_path / "back.safetensors").network, tmp_path) < 1e-5


def test_an_open_batch_and_timesteps_from_one(tmp_path):
    network = trained(networks.UNet())
    batch = {0: torch.export.Dim("N", min=1, max=64)}
    image = torch.zeros(2, *network.shape)
    labels = [torch.zeros(2, dtype=torch.long) for _ in range(2)]
    torch.onnx.export(
        network, (image, *labels), tmp_path / "net.onnx", input_names=["x", "t", "class"], dynamic_shapes=[batch] * 3
    )
    options = [*V, "--timesteps", 400, "--first-timestep", 1, "--out", tmp_path / "run"]
    trainer("import", tmp_path / "net.onnx", "--data", data(network, tmp_path), *options)
    assert difference(network, tmp_path / "run", tmp_path, first=1) < 1e-5


def test_half_precision(tmp_path):
    network = trained(networks.Plain()).half().float()
    file = exported(network, tmp_path / "net.onnx", dynamo=False)
    model = onnx.load(file)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), tensor.name))
    onnx.save(model, file)
    trainer("import", file, "--data", data(network, tmp_path), *V, "--out", tmp_path / "run")
    assert difference(network, tmp_path / "run", tmp_path) < 1e-5


def test_an_imported_run_is_exported_and_drawn_from(tmp_path):
    network = trained(networks.UNet())
    file = exported(network, tmp_path / "net.onnx")
    trainer("import", file, "--data", data(network, tmp_path), "--prediction", "epsilon", "--out", tmp_path / "run")
    trainer("export", tmp_path / "run", "--out", tmp_path / "net.brn", "--plan", "ddim:5")
    trainer("sample", tmp_path / "net.brn", "--plan", "ddim5", "--class", 2, "--count", 4, "--npy", tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").shape == (4, 16, 16, 3)
    assert "16x16x3" in trainer("inspect", tmp_path / "net.brn")


REFUSED = {
    "GroupNorm": (lambda: networks.Plain(nn.GroupNorm(2, 4)), "BatchNorm"),
    "LayerNorm": (lambda: networks.Plain(nn.LayerNorm([4, 8, 8])), "BatchNorm"),
    "attention": (lambda: networks.Plain(networks.Attention()), "BatchNorm|dilation|MatMul|Softmax"),
    "GELU": (lambda: networks.Plain(nn.GELU()), "SiLU or ReLU"),
    "MaxPool": (lambda: networks.Plain(nn.MaxPool2d(3, 1, 1)), "stride 2"),
    "sigmoid": (lambda: networks.Plain(nn.Sigmoid()), "use SiLU or ReLU"),
    "groups": (lambda: networks.Plain(nn.Conv2d(4, 4, 1, groups=2)), "2 groups"),
    "bilinear": (lambda: networks.Plain(nn.Upsample(scale_factor=2, mode="bilinear")), "nearest"),
    "scale": (networks.Scaled, "only adding it is known"),
    "mixed": (networks.Mixed, "computes with t and class together"),
}


@EXPORTERS
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_supported_is_named(case, dynamo, tmp_path):
    make, words = REFUSED[case]
    network = trained(make())
    file = exported(network, tmp_path / "net.onnx", dynamo)
    error = refused("import", file, "--data", data(network, tmp_path), *V, "--out", tmp_path / "run")
    assert "net.onnx: " in error and " node " in error and any(word in error for word in words.split("|")), error
    assert not (tmp_path / "run").exists()


def test_broken_files_write_nothing(tmp_path):
    network = trained(networks.Plain())
    good = exported(network, tmp_path / "good.onnx", dynamo=False)
    images, run = data(network, tmp_path), tmp_path / "run"

    def error(change):
        model = onnx.load(good)
        change(model)
        (tmp_path / "bad.onnx").write_bytes(model.SerializeToString())
        said = refused("import", tmp_path / "bad.onnx", "--data", images, *V, "--out", run)
        assert not run.exists()
        return said

    def opset(model):
        model.opset_import[0].version = 99

    def nan(model):
        weight = next(tensor for tensor in model.graph.initializer if tensor.name == "first.weight")
        values = onnx.numpy_helper.to_array(weight).copy()
        values[0] = np.nan
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))

    def dynamic(model):
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"

    assert "version 99 of ONNX's operators" in error(opset)
    assert "tensor first.weight: holds a value that is NaN" in error(nan)
    assert "input x: has the dynamic size height on axis 2" in error(dynamic)
    (tmp_path / "cut.onnx").write_bytes(good.read_bytes()[:-100])
    assert "no whole ONNX file" in refused("import", tmp_path / "cut.onnx", "--data", images, *V, "--out", run)
    assert "give one of epsilon, v, x0" in refused("import", good, "--data", images, "--out", run)
    assert "leave the option out" in refused("import", good, "--data", images, "--out", run, "--preset", "small")
    assert "takes images of 8x8x3" in refused("import", good, "--data", "faces16", *V, "--out", run)
    assert not run.exists()
