"""Trains a run in PyTorch, in one process or, under ``torchrun``, on several GPUs and machines.

    torchrun --nproc-per-node=8 -m brownian.torch.train start.safetensors --data arrays --out trained.safetensors

The run comes from ``trainer train --only-start`` and ``trainer run-to-torch --data``; ``trainer import`` takes what is
written. Batch, steps, learning rate and everything else are the run's. Started again, it goes on from its checkpoint.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

import brownian
from brownian.torch import checkpoint
from brownian.torch import Arrays, Average, Draws, learning_rate, load, process_of, save

# Buffers are averaged here; PyTorch 2.15 gave the option another name.
BUFFERS = {"forward_sync_buffers", "broadcast_buffers"} & set(inspect.signature(DistributedDataParallel).parameters)
NO_BUFFERS: Any = {max(BUFFERS): False}
PRECISIONS = {"f32": None, "bf16": torch.bfloat16, "f16": torch.float16}


def count(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m brownian.torch.train", description=__doc__.split("\n")[0])
    parser.add_argument("start", help="the run at its start, from `trainer run-to-torch`")
    parser.add_argument("--data", required=True, help="folder of the arrays, from `trainer run-to-torch --data`")
    parser.add_argument("--out", required=True, help="file to write, for `trainer import`")
    parser.add_argument("--checkpoint", help="file to go on from [default: that of --out with .pt behind]")
    parser.add_argument("--every", type=count, default=500, help="steps between two checkpoints [default: 500]")
    parser.add_argument("--accumulate", type=count, help="parts of a process's batch [default: the run's]")
    parser.add_argument("--precision", choices=PRECISIONS, default="f32", help="of forward passes [default: f32]")
    return parser.parse_args()


def mean_over(tensors: dict[str, Tensor], count: int, parts: int) -> None:
    """Divides sums over a process's parts, and takes the mean over processes."""
    flat = torch.cat([tensor.flatten() for tensor in tensors.values()]) / count
    if parts > 1:
        dist.all_reduce(flat)
    for tensor, mean in zip(tensors.values(), torch.split(flat / parts, [t.numel() for t in tensors.values()])):
        tensor.copy_(mean.view_as(tensor))


def main() -> None:
    asked = arguments()
    part, parts = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    files = [Path(name) for name in (asked.out, asked.checkpoint or asked.out + ".pt", asked.start, asked.data)]
    with checkpoint.claimed(*files) if part == 0 else contextlib.nullcontext():
        train(asked, files[1], part, parts)


def train(asked: argparse.Namespace, kept: Path, part: int, parts: int) -> None:
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    if parts > 1:
        dist.init_process_group("nccl" if cuda else "gloo")

    run = load(asked.start)
    config, network = run.config, run.network.to(device).train()
    accumulate = asked.accumulate or config.get("accumulate", 1)
    if config["batch"] % (parts * accumulate):
        raise brownian.Error(f"a batch of {config['batch']} does not split into {accumulate} parts in {parts} processes")
    process = process_of(config, network).to(device)
    arrays = Arrays(asked.data, config, part, parts)
    draws = Draws(config, len(arrays), part, parts)
    model: Any = network
    if parts > 1:
        model = DistributedDataParallel(network, [device] if cuda else None, **NO_BUFFERS)
    adam = torch.optim.Adam(network.parameters(), betas=tuple(config["betas"]), eps=1e-8)
    average = Average(network, config["ema"])
    precision = PRECISIONS[asked.precision]
    scaler = torch.amp.GradScaler(device.type, enabled=precision == torch.float16)

    step = checkpoint.restore(kept, config, device, network, average.weights, adam, scaler) if kept.exists() else 0
    if part == 0:
        print(f"step {step} of {config['steps']}: {parts} processes, {device.type}, {len(arrays)} images", flush=True)

    begin, since, shown = time.monotonic(), step, math.nan
    while step < config["steps"]:
        images, classes = arrays.get(draws.images(step))
        t, classes = draws.timesteps(step), draws.drop(classes, step)
        x0, t, classes = (tensor.to(device, non_blocking=True) for tensor in (images, t, classes))
        noise = process.random(x0, draws.generator(step, device))
        adam.zero_grad(set_to_none=True)
        loss, statistics = torch.zeros((), device=device), dict[str, Tensor]()
        batches = zip(*(tensor.chunk(accumulate) for tensor in (x0, noise, t, classes)))
        for number, (part_x0, part_noise, part_t, part_classes) in enumerate(batches):
            x, target = process.noise(part_x0, part_t, part_noise)
            last = parts == 1 or number == accumulate - 1
            with contextlib.nullcontext() if last else model.no_sync():
                with torch.autocast(device.type, precision, enabled=precision is not None):
                    f = model(x, part_t, part_classes)
                part_loss = process.loss(f, x, target, part_t)
                scaler.scale(part_loss / accumulate).backward()
            loss += part_loss.detach()
            for name, value in network.batch_statistics.items():
                statistics[name] = statistics[name] + value if name in statistics else value.detach().clone()
        mean_over({"": loss, **statistics}, accumulate, parts)
        if not math.isfinite(loss.item()):
            raise brownian.Error(f"step {step + 1}: the loss is not a number; start the run with a smaller --lr")
        for group in adam.param_groups:
            group["lr"] = learning_rate(config, step)
        scaler.unscale_(adam)
        # A scaler skips a step whose gradients are too large for f16.
        strict = precision != torch.float16
        torch.nn.utils.clip_grad_norm_(network.parameters(), config["clip"], error_if_nonfinite=strict)
        scaler.step(adam)
        scaler.update()
        average.update(step, statistics)
        step += 1
        shown = loss.item() if math.isnan(shown) else shown + 0.02 * (loss.item() - shown)
        if part == 0 and (step % asked.every == 0 or step == config["steps"]):
            rate = (step - since) * config["batch"] / (time.monotonic() - begin)
            print(f"step {step}: loss {shown:.4f}, {rate:.0f} images/s", flush=True)
            state = {"network": network.state_dict(), "average": average.weights, "adam": adam.state_dict()}
            checkpoint.write(kept, {**state, "scaler": scaler.state_dict(), "step": step, "config": config})
    if part == 0:
        save(asked.out, run, average.state(), step)
        print(f"{asked.out}: written; `trainer import {asked.out} --out RUN` makes a run of it", flush=True)
    if parts > 1:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    try:
        main()
    except brownian.Error as error:
        sys.exit(f"error: {error}")
