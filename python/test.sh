#!/usr/bin/env bash
# The Python package as its users get it: builds the wheel, installs it into a new virtual environment,
# and there runs the tests, the type checkers, and the command.
#
#   python/test.sh [PYTHON]     with that interpreter; python3 by default, 3.10 or later
set -euo pipefail
cd "$(dirname "$0")/.."

python=${1:-python3}
work=target/python
rm -rf "$work"
mkdir -p "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1
# What pip builds in a folder of its own would be built from nothing.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR

"$python" -m venv "$work/user"
"$python" -m venv "$work/tester"
"$work/user/bin/pip" wheel --quiet --no-deps --wheel-dir "$work" .
wheel=$(echo "$work"/splendor_prep-*.whl)
ls -l "$wheel"

# A user's: the wheel and NumPy, nothing else.
"$work/user/bin/pip" install --quiet "$wheel"
"$work/user/bin/pip" list
"$work/user/bin/prep" --version
(cd "$work" && user/bin/prep demo --games 10 && user/bin/python -W error -c '
from splendor_prep import Dataset, Scaler
dataset = Dataset("data/demo/processed", "train")
print(dataset, Scaler.load("data/demo/processed"), next(dataset.batches(32)).state.shape)')

# The tests', with what they compare with. The installed package is tested, not the folder beside.
"$work/tester/bin/pip" install --quiet "$wheel[ray]" mypy pandas polars pytest scikit-learn
"$work/tester/bin/python" -m mypy --cache-dir "$work/mypy" python/splendor_prep python/examples python/tests python/benches
(cd "$work" && tester/bin/python -m mypy.stubtest --mypy-config-file ../../pyproject.toml splendor_prep._native)
# Here Ray must be there: a cluster that was not tried fails.
export PREP_REQUIRE_RAY=1 RAY_USAGE_STATS_ENABLED=0
"$work/tester/bin/pytest" -p no:cacheprovider -q
"$work/tester/bin/python" python/benches/one_position.py --check
