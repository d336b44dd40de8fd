"""Trains a small network with PyTorch directly from a cache, in several processes, and resumes after a kill.

    python python/examples/train_in_parallel.py data/intermediate/prep.sqlite --processes 2 --steps 300

Each process gets its part of every batch and the gradients are averaged (DistributedDataParallel with
gloo). Every 50 steps the network, the optimizer and the state of the stream are saved; the next run
resumes from that file with the next batch. `--kill-at STEP` kills all processes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from splendor_prep import HEADS, Stream

SAVE_EVERY = 50


class Network(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """One hidden layer, shared by all heads."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.hidden = torch.nn.Linear(columns, 128)
        self.heads = torch.nn.Linear(128, sum(HEADS.values()))

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.heads(torch.relu(self.hidden(state)))
        return logits


def loss_of(logits: torch.Tensor, batch: Any) -> torch.Tensor:
    """The mean over the rows of the sum over the heads that apply; a logged move may be illegal, and
    teaches nothing."""
    loss = torch.zeros(())
    for head, part in zip(HEADS, logits.split(list(HEADS.values()), dim=1), strict=True):
        label, mask = batch.labels[head], batch.masks[head]
        is_legal = mask.gather(1, label.clamp(min=0)[:, None])[:, 0]
        part, label = part.masked_fill(~mask, -1e9), label.where(is_legal, -1)
        loss += torch.nn.functional.cross_entropy(part, label, ignore_index=-1, reduction="sum")
    return loss / len(batch)


def train(rank: int, arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    torch.distributed.init_process_group(
        "gloo", f"tcp://127.0.0.1:{arguments.port}", rank=rank, world_size=arguments.processes
    )
    stream = Stream(
        arguments.cache,
        "train",
        batch_size=arguments.batch_size,
        seed=1,
        # All parts have as many rows if this divides them: the mean of the gradients is that of the batch.
        drop_last=True,
        rank=rank,
        world_size=arguments.processes,
    )
    # If an ingest commits while the ranks open the cache, they have different games: ValueError.
    states = [stream.state_dict()]
    torch.distributed.broadcast_object_list(states, src=0)
    stream.load_state_dict(states[0])
    network = DistributedDataParallel(Network(len(stream.columns)))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    step = 0
    if arguments.checkpoint.exists():
        saved = torch.load(arguments.checkpoint)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        stream.load_state_dict(saved["stream"])
        step = saved["step"]
        if rank == 0:
            print(f"resumes after step {step}")
    while step < arguments.steps:
        for batch in stream.torch():
            loss = loss_of(network(batch.state), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if rank == 0 and step % SAVE_EVERY == 0:
                print(f"step {step}: loss {loss.item():.4f}")
                saved = {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "stream": stream.state_dict(),
                    "step": step,
                }
                unfinished = arguments.checkpoint.with_suffix(".new")
                torch.save(saved, unfinished)
                unfinished.replace(arguments.checkpoint)
            if step == arguments.kill_at:
                os._exit(9)
            if step == arguments.steps:
                break
    if rank == 0:
        weights = torch.cat([values.flatten() for values in network.state_dict().values()])
        print(f"weights after step {step}: sum {weights.double().sum().item():.12f}")
    torch.distributed.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=512, help="rows of all processes together")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoint.pt"))
    parser.add_argument("--port", type=int, default=29511)
    parser.add_argument("--kill-at", type=int, help="kill all processes after this step")
    arguments = parser.parse_args()
    torch.multiprocessing.spawn(train, (arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
