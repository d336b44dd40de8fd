#!/usr/bin/env bash
# Makes `report.png`, the picture in the README: the top of a report about simulated games.
# Needs Chromium (Debian: apt-get install chromium); CHROMIUM names another binary.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --release --locked
prep=$PWD/target/release/prep
picture=$PWD/docs/images/report.png
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$prep" simulate data/raw --games 400 --seed 1 -q
"$prep" ingest -q
"$prep" export -q
"$prep" report --export data/processed -q
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile" \
    --window-size=1200,1640 --screenshot="$picture" "file://$work/report.html" 2>"$work/log" || { cat "$work/log"; exit 1; }
ls -l "$picture"
