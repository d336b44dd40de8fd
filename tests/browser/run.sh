#!/usr/bin/env bash
# The report and the page of a game in Chromium: search, sort, positions, keyboard, contrast, no request to the
# network. Needs Chromium (Debian: apt-get install chromium; CHROMIUM names another binary) and Python 3.10; installs
# Playwright and axe-core into target/browser. With a folder as argument, puts screenshots there.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=$PWD/target/browser
if ! "$tools/bin/python" -c 'import PIL, axe_playwright_python, playwright' 2>/dev/null; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install -q pillow 'playwright>=1.45' axe-playwright-python
fi
axe=$("$tools/bin/python" -c 'import pathlib, axe_playwright_python as a; print(pathlib.Path(a.__file__).parent / "axe.min.js")')
cargo build --locked -q
prep=${PREP:-$PWD/target/debug/prep}
pictures=${1:+$(realpath "$1")}
tests=$PWD/tests/browser
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$prep" simulate data/raw --games 400 --seed 1 -q
"$prep" ingest -q
"$prep" export -q
"$prep" report --export data/processed -q
"$prep" inspect 17 --html -q
"$tools/bin/python" "$tests/test_pages.py" report.html game-17.html "$axe" ${pictures:+"$pictures"}
