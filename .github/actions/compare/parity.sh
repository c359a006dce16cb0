#!/usr/bin/env bash
# Head is proved equal to the reference, or nothing of it is timed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/side.sh"

harness head parity --backend "$BACKENDS" --variant "$VARIANTS" --out "$WORK/parity" --format github
