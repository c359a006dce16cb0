#!/usr/bin/env bash
# The two sides, base and head: each a working tree, and the Python that runs the harness in it.
set -euo pipefail

rm -rf "$WORK"
mkdir -p "$WORK"

for side in base head; do
  given=$BASE
  [ "$side" = head ] && given=$HEAD
  if [ -f "$given" ] && [ -x "$given" ]; then
    pwd >"$WORK/$side.tree"
    printf '%s\n' "$PYTHON" >"$WORK/$side.python"
    : >"$WORK/$side.options"
    for backend in ${BACKENDS//,/ }; do
      printf '%s\n' --python "$backend=$given" >>"$WORK/$side.options"
    done
  else
    tree=$WORK/$side
    git worktree prune
    git worktree add --quiet --detach "$tree" "$(git rev-parse --verify --end-of-options "$given^{commit}")"
    default="python3 -m venv .venv && .venv/bin/pip install --quiet -c constraints.txt -e '.[$BACKENDS]'"
    (cd "$tree" && bash -euo pipefail -c "${SETUP:-$default}")
    printf '%s\n' "$tree" >"$WORK/$side.tree"
    printf '%s\n' "$tree/.venv/bin/python" >"$WORK/$side.python"
    : >"$WORK/$side.options"
  fi
  echo "$side: $given"
done

echo "folder=$WORK" >>"${GITHUB_OUTPUT:-/dev/null}"
