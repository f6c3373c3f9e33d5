"""What cannot be trained says why, in one line, before anything is written."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from trainer import start  # noqa: E402

import brownian  # noqa: E402
from brownian import torch as bt  # noqa: E402
from brownian.torch import checkpoint  # noqa: E402


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A run at its start, of 8×8 gray images in two classes."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    (folder / "given").mkdir()
    np.save(folder / "given" / "images.npy", rng.integers(256, size=(64, 8, 8), dtype=np.uint8))
    np.save(folder / "given" / "labels.npy", rng.integers(2, size=64, dtype=np.uint8))
    options = ["--preset", "tiny", "--steps", 40, "--batch", 32]
    _, file = start(folder, "--data", folder / "given" / "images.npy", *options)
    return file


@pytest.fixture(scope="module")
def run(file):
    return bt.load(file)


def arrays(folder, run, **files):
    """The arrays of a folder that holds `files`."""
    for name, values in files.items():
        path = folder / f"{name.replace('_', '-')}.npy"
        if isinstance(values, bytes):
            path.write_bytes(values)
        else:
            np.save(path, values)
    return bt.Arrays(folder, run.config)


BYTES = np.zeros((4, 8, 8, 1), np.uint8)
FLOATS = np.zeros((4, 8, 8, 1), np.float32)
LABELS = np.zeros((4, 1), np.int64)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, r"holds no images\*.npy"),
        ({"images": b"", "labels": LABELS}, "images.npy: cannot be read"),
        ({"images": BYTES}, "labels.npy: cannot be read"),
        ({"images": BYTES, "labels": b""}, "labels.npy: cannot be read"),
        ({"images": BYTES[..., 0], "labels": LABELS}, r"is uint8 of \[4, 8, 8\]; the run takes .* \[N, 8, 8, 1\]"),
        ({"images": BYTES.astype(np.float64), "labels": LABELS}, "is float64"),
        ({"images": BYTES, "labels": LABELS[:3]}, r"labels.npy: is int64 of \[3, 1\]; 4 images on 1 axes"),
        ({"images": BYTES, "labels": LABELS + 0.7}, "labels.npy: is float64"),
        ({"images": BYTES, "labels": LABELS + 2}, "holds class 2 on axis 0; the run has 0 to 1"),
        ({"images": BYTES, "labels": LABELS - 2}, "holds class -2 on axis 0"),
    ],
)
def test_arrays(tmp_path, run, files, words):
    with pytest.raises(brownian.Error, match=words):
        arrays(tmp_path, run, **files)


@pytest.mark.parametrize("values", [FLOATS + 255, FLOATS - 1.5, FLOATS + np.float32("nan"), FLOATS - np.float32("inf")])
def test_floats_lie_within_their_range(tmp_path, run, values):
    opened = arrays(tmp_path, run, images=values, labels=LABELS)
    with pytest.raises(brownian.Error, match=r"images.npy: image 0 has values up to .*; float32 arrays hold numbers"):
        opened.get(np.array([0]))


def test_bytes_and_floats_may_lie_side_by_side(tmp_path, run):
    files = {"images_0": BYTES + 255, "labels_0": LABELS, "images_1": FLOATS - 0.5, "labels_1": LABELS}
    images, _ = arrays(tmp_path, run, **files).get(np.array([0, 7]))
    assert images[0].unique().tolist() == [1.0] and images[1].unique().tolist() == [-0.5]


def test_an_archive_is_no_array(tmp_path, run):
    with open(tmp_path / "images.npy", "wb") as archive:
        np.savez(archive, images=BYTES)
    with pytest.raises(brownian.Error, match="is no .npy file with one array"):
        bt.Arrays(tmp_path, run.config)


def test_processes(run):
    with pytest.raises(brownian.Error, match="give the network as well"):
        bt.process_of({**run.config, "schedule": "learned", "weighting": "variational"})
    learned = {**run.config, "schedule": "learned:0.01", "weighting": "variational"}
    with pytest.raises(brownian.Error, match="has no process.falls"):
        bt.process_of(learned, run.network)
    with pytest.raises(brownian.Error, match="learned on the bound"):
        bt.process_of({**learned, "weighting": "simple"}, run.network)
    with pytest.raises(brownian.Error, match="there is no schedule 'np'"):
        bt.process_of({**run.config, "schedule": "np"})
    with pytest.raises(brownian.Error, match="vary by flip"):
        bt.Draws({**run.config, "augment": "flip"}, 10)


def test_networks(run):
    x, t = torch.zeros(2, 1, 8, 8), torch.tensor([1, 1000])
    run.network(x, t, torch.tensor([[-1], [1]]))
    for wrong in (torch.tensor([0, 1]), torch.tensor([1, 1001])):
        with pytest.raises(brownian.Error, match="timesteps 1 to 1000"):
            run.network(x, wrong)
    for wrong in (torch.tensor([[2], [0]]), torch.tensor([0, 1]), torch.zeros(2, 2, dtype=torch.long)):
        with pytest.raises(brownian.Error, match=r"the network takes \[N, 1\] with classes below \[2\]"):
            run.network(x, t, wrong)


def test_files(tmp_path, file, run):
    with safe_open(file, "pt") as opened:
        header = json.loads(opened.metadata()["brownian"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}

    def refused(header, tensors, words):
        save_file(tensors, tmp_path / "bad.safetensors", {"brownian": header})
        with pytest.raises(brownian.Error, match=words):
            bt.load(tmp_path / "bad.safetensors")

    refused("{", tensors, "says of itself what is not understood")
    for key in header:
        refused(json.dumps({k: v for k, v in header.items() if k != key}), tensors, "not understood")
    refused(json.dumps({**header, "graph": 3}), tensors, "not understood")
    refused(json.dumps({**header, "step": -5}), tensors, "not understood")
    refused(json.dumps({**header, "config": {**header["config"], "lr": 7}}), tensors, "lr 7 in the configuration")
    refused(json.dumps({**header, "config": {**header["config"], "image": [8, 8, 3]}}), tensors, "configuration is not")
    graph = json.loads(json.dumps(header["graph"]))
    graph["nodes"][-1]["inputs"] = [999]
    refused(json.dumps({**header, "graph": graph}), tensors, "cannot be computed|not understood")
    graph = json.loads(json.dumps(header["graph"]))
    activation = next(node for node in graph["nodes"] if "activation" in node["op"])
    activation["op"]["activation"] = "gelu"
    refused(json.dumps({**header, "graph": graph}), tensors, f"{activation['name']} is the activation gelu")
    name = next(iter(tensors))
    wrong = {**tensors, name: torch.full_like(tensors[name], float("nan"))}
    refused(json.dumps(header), wrong, f"the tensor {name} holds values that are not finite")
    refused(json.dumps(header), {k: v for k, v in tensors.items() if k != name}, name)
    huge = {**tensors, name: tensors[name].double() + 1e39}
    refused(json.dumps(header), huge, f"the tensor {name} holds values that are not finite in f32")
    refused(json.dumps(header), {**tensors, name: tensors[name].int()}, f"the tensor {name} is of torch.int32")
    variance = next(key for key in tensors if key.endswith(".variance"))
    refused(json.dumps(header), {**tensors, variance: tensors[variance] - 9}, f"{variance} holds variances below 0")
    with pytest.raises(brownian.Error, match="cannot be written"):
        bt.save(tmp_path / "none" / "file.safetensors", run)
    (tmp_path / "folder").mkdir()
    with pytest.raises(brownian.Error, match="cannot be written"):
        bt.save(tmp_path / "folder", run)
    for state, found in (
        ({}, "missing in what is to be saved"),
        ({**tensors, "other": torch.zeros(2)}, r"other is \[2\] in what is to be saved, missing in the network"),
        ({**tensors, name: torch.zeros(3)}, rf"{name} is \[3\] in what"),
    ):
        with pytest.raises(brownian.Error, match=found):
            bt.save(tmp_path / "whole.safetensors", run, state)
    bt.save(tmp_path / "whole.safetensors", run)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.safetensors", "folder", "whole.safetensors"]


def test_checkpoints(tmp_path, run):
    cpu, path = torch.device("cpu"), tmp_path / "state.pt"
    average = bt.Average(run.network, 0.9)
    adam = torch.optim.Adam(run.network.parameters())
    whole = {
        "network": run.network.state_dict(),
        "average": average.weights,
        "adam": adam.state_dict(),
        "scaler": torch.amp.GradScaler("cpu", enabled=False).state_dict(),
        "step": 7,
        "config": run.config,
    }

    def restore():
        return checkpoint.restore(path, run.config, cpu, run.network, average.weights, adam)

    checkpoint.write(path, whole)
    assert restore() == 7
    content = path.read_bytes()
    for wrong in (b"", b"x", b"anything", content[:100], content[: len(content) // 2], content[:-1]):
        path.write_bytes(wrong)
        with pytest.raises(brownian.Error, match="is no whole checkpoint"):
            restore()
    cases = [([1], "no whole checkpoint"), ({**whole, "config": {}}, "is of another run")]
    cases += [({k: v for k, v in whole.items() if k != key}, "no whole checkpoint") for key in whole]
    cases += [({**whole, "step": step}, "is of step") for step in ("x", -5, 10**9, 0.5)]
    name = next(iter(whole["average"]))
    cases += [({**whole, "average": {}}, "does not fit"), ({**whole, "adam": {}}, "does not fit")]
    cases += [({**whole, "average": {**whole["average"], name: torch.zeros(2, 3, 5)}}, "does not fit")]
    nan = torch.full_like(whole["average"][name], float("nan"))
    cases += [({**whole, "average": {**whole["average"], name: nan}}, "not finite")]
    adam.zero_grad()
    run.network(torch.zeros(4, 1, 8, 8), torch.tensor([1, 2, 3, 4])).square().mean().backward()
    adam.step()
    for change in ({"exp_avg": nan}, {"exp_avg_sq": -1.0 - nan.nan_to_num(0)}, {"exp_avg": torch.zeros(3)}):
        moments = adam.state_dict()
        first = next(iter(moments["state"]))
        moments["state"] = {**moments["state"], first: {**moments["state"][first], **change}}
        cases += [({**whole, "adam": moments}, "does not fit")]
    for state, words in cases:
        checkpoint.write(path, state)
        with pytest.raises(brownian.Error, match=words):
            restore()
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_places(tmp_path):
    out, kept, data = tmp_path / "out", tmp_path / "kept", tmp_path / "data"
    data.mkdir()
    (tmp_path / "start").write_text("start")
    read = (tmp_path / "start", data)
    with checkpoint.claimed(out, kept, *read):
        if sys.platform == "linux":
            for files in [(out, kept), (out, tmp_path / "other"), (tmp_path / "other", kept)]:
                with pytest.raises(brownian.Error, match="another training writes it"):
                    with checkpoint.claimed(*files, *read):
                        pass
    for files, words in [
        ((tmp_path / "none" / "out", kept), "cannot be written"),
        ((out, tmp_path / "none" / "kept"), "cannot be written"),
        ((tmp_path / ("o" * 300), kept), "cannot be written"),
        ((tmp_path, kept), "is no file|lies in"),
        ((out, out), "is or lies in what the training reads or writes"),
        ((tmp_path / "start", kept), "is or lies in"),
        ((out, data / "images.npy"), "is or lies in"),
    ]:
        with pytest.raises(brownian.Error, match=words):
            with checkpoint.claimed(*files, *read):
                pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "start"]


def test_links_are_followed_and_what_is_no_file_stays(tmp_path, run):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    bt.save(tmp_path / "link", run)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").is_file()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(brownian.Error, match="is no file"):
        bt.save(tmp_path / "pipe", run)
    with pytest.raises(brownian.Error, match="is no file"):
        with checkpoint.claimed(tmp_path / "pipe", tmp_path / "kept"):
            pass
    assert not (tmp_path / "pipe").is_file()


NUMBERS = (None, "x", [], True, -1, 1e300, float("nan"))
WRONG = {
    "image": (None, [8, 8], [8, 8, 0], [8, 8, 1.5]),
    "classes": (None, "2", -1, 1.5, [1]),
    "steps": (0, 1.5, 2**31, *NUMBERS),
    "batch": (0, 16.0, 2**31, *NUMBERS),
    "accumulate": (0, *NUMBERS),
    "lr": (0, 2.0, *NUMBERS),
    "seed": (1.5, 2**64, None, "x", -1),
    "timesteps": (1, 1000.0, 10**9, *NUMBERS),
    "schedule": (
        *("nope", "", "np", "linear:1", "linear:x:y", "linear:0:0", "linear:a:b:c", "cosine:1", "geometric"),
        *("geometric:1", "geometric:10:0.01:10", "geometric:0.1:10:1000", "learned:0", "learned:x", "learned:", 3, None),
    ),
    "zero_terminal_snr": ("x", None, 0),
    "prediction": ("nope", None, 3),
    "weighting": ("nope", None, 3),
    "snr_gamma": (0, *(n for n in NUMBERS if n != 1e300)),
    "data_scale": (0, *NUMBERS),
    "label_dropout": (1, 2, *NUMBERS),
    "augment": (None, 3),
    "warmup": (1.5, *NUMBERS),
    "betas": ([], [0.9], [2, 2], [0.9, 0.9, 0.9], [0.9, float("nan")], None),
    "clip": (0, *(n for n in NUMBERS if n != 1e300)),
    "ema": (1, 2, *NUMBERS),
    "process": ("nope", "", "Binomial", "gaussian:3", "binomial:", "binomial:x", "binomial:0", "binomial:7", 3),
}


def test_configurations(run):
    for key, values in WRONG.items():
        for value in values:
            with pytest.raises(brownian.Error):
                bt.process_of({**run.config, key: value})
    for key in run.config:
        if key in WRONG and key not in ("accumulate", "data_scale", "process"):
            with pytest.raises(brownian.Error, match=f"has no {key}"):
                bt.process_of({name: value for name, value in run.config.items() if name != key})


def test_the_script_says_it_in_a_line(tmp_path, file):
    def said(*options):
        command = [sys.executable, "-m", "brownian.torch.train", file, "--data", file.parent / "data"]
        command += ["--out", tmp_path / "out", *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode in (1, 2), done.stderr
        return done.stderr.splitlines()[-1]

    assert said("--accumulate", "5").startswith("error: a batch of 32 does not split into 5 parts in 1 processes")
    assert "argument --every: invalid count value: '0'" in said("--every", "0")
    assert "argument --accumulate: invalid count value: '-1'" in said("--accumulate", "-1")
    (tmp_path / "out.pt").write_bytes(b"junk")
    assert "is no whole checkpoint" in said()
