#!/usr/bin/env bash
# Benchmarks of base and head in turns, A B, B A, A B: what the machine does drifts over both.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/side.sh"

for ((turn = 1; turn <= TURNS; turn++)); do
  order="base head"
  ((turn % 2)) || order="head base"
  for side in $order; do
    echo "::group::turn $turn of $TURNS, $side"
    harness "$side" bench --backend "$BACKENDS" --variant "$VARIANTS" --shape "$SHAPES" \
      --rounds "$ROUNDS" --quiet --out "$WORK/$side-$turn"
    echo "::endgroup::"
  done
done
