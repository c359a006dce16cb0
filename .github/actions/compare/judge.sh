#!/usr/bin/env bash
# Each turn's two benchmarks compared by head's harness, and what all turns say together.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/side.sh"

for ((turn = 1; turn <= TURNS; turn++)); do
  status=0
  harness head compare "$WORK/base-$turn" "$WORK/head-$turn" --threshold "$THRESHOLD" --json \
    >"$WORK/compare-$turn.json" || status=$?
  [ "$status" -le 1 ] || exit "$status"
done
tree=$(cat "$WORK/head.tree")
PYTHONPATH=$tree${PYTHONPATH:+:$PYTHONPATH} "$(cat "$WORK/head.python")" "$here/judge.py" "$WORK"/compare-*.json
