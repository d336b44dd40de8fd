#!/usr/bin/env bash
# Tries the package with the real PyTorch: installs it into an environment of its own (some gigabytes), trains 300 steps
# in two processes, does the same with a kill in between, and compares the weights; then runs the code in the README and
# the docs, and the tests that need PyTorch. Not part of every test run.
#
#   python/try-torch.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
work=target/torch
mkdir -p "$work"
[ -x "$work/bin/python" ] || "${1:-python3}" -m venv "$work"
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} "$work/bin/pip" install --quiet ".[torch,sklearn]" polars pytest
cache=$work/prep.sqlite
"$work/bin/prep" --quiet simulate "$work/raw" --games 400
"$work/bin/prep" --quiet ingest "$work/raw" --cache "$cache"
rm -f "$work"/*.pt

train() { "$work/bin/python" python/examples/train_in_parallel.py "$cache" --steps 300 "$@"; }
undisturbed=$(train --checkpoint "$work/undisturbed.pt" | tee -a /dev/stderr | grep weights)
train --checkpoint "$work/killed.pt" --kill-at 170 2>/dev/null && { echo "it was not killed" >&2; exit 1; }
resumed=$(train --checkpoint "$work/killed.pt" | tee -a /dev/stderr | grep weights)
[ "$undisturbed" = "$resumed" ] || { echo "the weights differ after a kill" >&2; exit 1; }

# One process, with a loader that shuffles an export.
"$work/bin/prep" --quiet export --cache "$cache" --out "$work/processed" 2>/dev/null
"$work/bin/python" - "$work/processed" <<'PY'
import sys

import torch
from splendor_prep import Dataset

dataset = Dataset(sys.argv[1], "train").torch()
rows = torch.randperm(len(dataset))
for order in (rows, rows.tolist(), torch.utils.data.SubsetRandomSampler(rows)):
    state, labels, masks = next(iter(torch.utils.data.DataLoader(dataset, 64, sampler=order)))
    assert labels["action_type"].dtype == torch.int64 and state.dtype == torch.float32
    logits = torch.zeros(64, 4).masked_fill(~masks["action_type"], -1e9)
    torch.nn.functional.cross_entropy(logits, labels["action_type"])
PY
"$work/bin/python" -m pytest -p no:cacheprovider -q python/tests/test_{docs,dataset,stream}.py
echo "PyTorch $("$work/bin/python" -c 'import torch; print(torch.__version__)'): equal weights, with and without a kill"
