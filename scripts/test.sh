#!/usr/bin/env bash
# Set up if needed, then lint, types, the import contract and the tests: scripts/test.sh [PYTEST OPTIONS]
# With --long also the tests that take many seconds each, most of which train networks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=dev
source scripts/setup.sh
source scripts/chromium.sh

bash scripts/lint.sh
echo "== pytest"
# Two processes share the machine: each begins with half of the files, and who is done helps the other.
python -m pytest --numprocesses 2 --dist worksteal "$@"
