"""What one would train with instead of a stream: the arrays of an export, in shuffled batches.

    python3 load_batches.py EXPORT [--in-memory]

X is memory-mapped, labels and masks are in memory, and a batch is 512 rows of a permutation of all rows.
With --in-memory, all of it is PyTorch tensors in memory. Prints one line of JSON: rows, the sum of all
labels, and the seconds of one epoch, without reading the files.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

BATCH_SIZE = 512


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("export", type=Path)
    arguments.add_argument("--in-memory", action="store_true")
    options = arguments.parse_args()
    state = np.load(options.export / "X_train.npy", mmap_mode=None if options.in_memory else "r")
    arrays = [state]
    for kind in ("labels", "masks"):
        arrays += dict(np.load(options.export / f"{kind}_train.npz")).values()
    order = np.random.default_rng(1).permutation(len(state))
    if options.in_memory:
        import torch

        torch.set_num_threads(2)
        arrays, order = [torch.from_numpy(array) for array in arrays], torch.from_numpy(order)
    else:
        # From the page cache: what is measured is not the disk.
        for first in range(0, len(state), 4096):
            state[first : first + 4096].sum()
    rows = labels = 0
    begun = time.perf_counter()
    for first in range(0, len(order), BATCH_SIZE):
        chosen = order[first : first + BATCH_SIZE]
        batch = [array[chosen] for array in arrays]
        rows += len(batch[0])
        labels += sum(int(values.sum()) for values in batch[1:8])
    seconds = time.perf_counter() - begun
    print(json.dumps({"rows": rows, "labels": labels, "seconds": seconds}))


if __name__ == "__main__":
    main()
