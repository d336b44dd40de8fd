#!/usr/bin/env bash
# The long runs of the tests that try their luck: 200 kills, 1,000 damaged caches, 60 nights,
# thousands of changes to every fuzz input, and, and some minutes of fuzzing each target
# (SECONDS_EACH, default 300). Continuous integration runs shorter ones of the same tests.
set -euo pipefail
cd "$(dirname "$0")/.."

export PREP_LONG_TESTS=1
cargo test --locked --test it -- kills corruption incremental changing_inputs full_disk concurrency \
    fuzz_regressions

if cargo +nightly fuzz --version >/dev/null 2>&1; then
    for target in log_reader blob_decoder settings; do
        # What the fuzzer finds on its way stays out of the corpus that is kept.
        found="$(mktemp -d)"
        cargo +nightly fuzz run --fuzz-dir tests/fuzz "$target" "$found" "tests/fuzz/corpus/$target" \
            -- -max_total_time="${SECONDS_EACH:-300}" -max_len=20000
        rm -r "$found"
    done
else
    echo "nothing was fuzzed: install cargo-fuzz and a nightly compiler" >&2
    exit 1
fi
