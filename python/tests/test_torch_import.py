"""What `trainer import` takes and what it refuses: each error names the tensor, and nothing is written."""

import pytest

torch = pytest.importorskip("torch")
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from trainer import refused, start, trainer  # noqa: E402

from brownian import torch as bt  # noqa: E402


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("import")
    return start(folder, "--preset", "tiny", "--data", "faces16")[1]


def bad(tensors, name, change):
    tensors[name] = change(tensors[name])


CASES = {
    "missing": (lambda t: t.pop("out.bias"), "lacks the tensor out.bias"),
    "extra": (lambda t: t.update(other=torch.zeros(2)), "holds the tensor other, which the network does not have"),
    "misshapen": (lambda t: bad(t, "out.bias", lambda v: v[:-1]), "the tensor out.bias has the shape [11], not [12]"),
    "flat": (lambda t: bad(t, "out.weight", lambda v: v.flatten()), "the tensor out.weight has the shape [432]"),
    "NaN": (lambda t: bad(t, "stem.gamma", lambda v: v * float("nan")), "the tensor stem.gamma holds NaN at 0"),
    "infinite": (lambda t: bad(t, "stem.gamma", lambda v: v / 0), "the tensor stem.gamma holds inf at 0"),
    "variance": (lambda t: bad(t, "stem.variance", lambda v: v - 9), "the tensor stem.variance holds -8 at 0"),
    "integers": (lambda t: bad(t, "out.bias", lambda v: v.int()), "the tensor out.bias is of type I32"),
    "huge": (lambda t: bad(t, "out.bias", lambda v: v.double() + 1e99), "the tensor out.bias holds inf at 0"),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_tensors_are_named(case, started, tmp_path):
    change, words = CASES[case]
    run = bt.load(started)
    state = {name: value.clone() for name, value in run.network.state_dict().items()}
    change(state)
    with safe_open(started, "pt") as file:
        save_file(state, tmp_path / "bad.safetensors", file.metadata())
    error = refused("import", tmp_path / "bad.safetensors", "--out", tmp_path / "run")
    assert f"bad.safetensors: {words}" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("keep", [0, 5, 900, -1])
def test_a_truncated_file(keep, started, tmp_path):
    file = tmp_path / "bad.safetensors"
    file.write_bytes(started.read_bytes()[:keep])
    assert "is not a whole safetensors file" in refused("import", file, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_options_that_contradict_the_file(started, tmp_path):
    run = tmp_path / "run"
    assert "--data: the file says itself" in refused("import", started, "--out", run, "--data", "digits")
    assert "--prediction: the file says itself" in refused("import", started, "--out", run, "--prediction", "x0")
    net = tmp_path / "net.toml"
    net.write_text(trainer("net", "nano", "--image", "16x16x3"))
    assert "--net is another network" in refused("import", started, "--out", run, "--net", net)
    plain = tmp_path / "plain.safetensors"
    save_file(load_file(started), plain)
    assert "does not say what it was trained on; give --data" in refused("import", plain, "--out", run)
    asked = ("import", plain, "--out", run, "--data", "digits", "--preset", "digits28")
    assert "--prediction: a file without a configuration" in refused(*asked)
    assert "lacks the tensors" in refused(*asked, "--prediction", "v")
    assert not run.exists()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_converted(dtype, started, tmp_path):
    run = bt.load(started)
    state = {name: value.to(dtype) for name, value in run.network.state_dict().items()}
    bt.save(tmp_path / "other.safetensors", run, state)
    trainer("import", tmp_path / "other.safetensors", "--out", tmp_path / "run")
    trainer("run-to-torch", tmp_path / "run", "--out", tmp_path / "back.safetensors")
    back = load_file(tmp_path / "back.safetensors")
    assert all(torch.equal(back[name], value.float()) for name, value in state.items())


def test_a_file_without_metadata_is_told_what_it_is(started, tmp_path):
    plain, net = tmp_path / "plain.safetensors", tmp_path / "net.toml"
    save_file(load_file(started), plain)
    net.write_text(trainer("net", "tiny", "--image", "16x16x3"))
    asked = ("import", plain, "--net", net, "--data", "faces16", "--out", tmp_path / "run")
    assert "--prediction: a file without a configuration does not say what" in refused(*asked)
    trainer("import", plain, "--net", net, "--data", "faces16", "--prediction", "epsilon", "--out", tmp_path / "run")
    trainer("run-to-torch", tmp_path / "run", "--out", tmp_path / "back.safetensors")
    config = bt.load(tmp_path / "back.safetensors").config
    assert (config["prediction"], config["data"], config["preset"]) == ("epsilon", "faces16", "net")
    assert config["data_digest"] == bt.load(started).config["data_digest"]
