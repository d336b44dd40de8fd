"""A training process that begins: imports splendor_prep, opens a stream, and gets batches.

    python3 stream_batches.py CACHE [--dtype float32]

Prints one line of JSON: rows and the sum of all labels of an epoch, the seconds from the start of this
program to its first batch, those of the second epoch, and the peak of its memory in megabytes.
"""

import time

begun = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

from splendor_prep import Stream  # noqa: E402


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("cache")
    arguments.add_argument("--dtype", default="float32")
    options = arguments.parse_args()
    normalize = options.dtype != "int8"
    stream = Stream(
        options.cache, "train", batch_size=512, seed=1, dtype=options.dtype, normalize=normalize, threads=2
    )
    next(iter(stream))
    first_batch = time.perf_counter() - begun
    for _ in stream:
        pass
    rows = labels = 0
    begun_epoch = time.perf_counter()
    for batch in stream:
        rows += len(batch)
        labels += sum(int(values.sum()) for values in batch.labels.values())
    seconds = time.perf_counter() - begun_epoch
    # Not `ru_maxrss`, which counts what the process had before it was this program.
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1000
    said = {"rows": rows, "labels": labels, "first_batch": first_batch, "seconds": seconds}
    print(json.dumps({**said, "peak_megabytes": peak}))


if __name__ == "__main__":
    main()
