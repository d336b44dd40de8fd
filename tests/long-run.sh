#!/usr/bin/env bash
# The long versions of the randomized tests: 200 kills, 3,500 losses of power, 1,000 damaged caches, 60 runs over a
# changing folder, 5,100 games replayed, outcomes of 10,000 games, 100,000 positions with other orders of slots, thousands
# of changes to every fuzz input, `cargo install`, and then some minutes of fuzzing for each target (SECONDS_EACH, default
# 300). `cargo test` runs short versions of the same tests.
#
# Fuzzing needs cargo-fuzz and a nightly compiler; without them the script ends with an error after the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

export PREP_LONG_TESTS=1
cargo test --locked --test it -- kills power_loss corruption incremental changing_inputs full_disk concurrency \
    fuzz_regressions walkthrough replay stream export::outcomes log_reader::damaged

if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "nothing was fuzzed: install cargo-fuzz and a nightly compiler" >&2
    exit 1
fi
for target in log_reader blob_decoder settings exported_file; do
    # New inputs that the fuzzer finds are not added to the corpus in the repository.
    found="$(mktemp -d)"
    cargo +nightly fuzz run --fuzz-dir tests/fuzz "$target" "$found" "tests/fuzz/corpus/$target" \
        -- -max_total_time="${SECONDS_EACH:-300}" -max_len=20000
    rm -r "$found"
done
