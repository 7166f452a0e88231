#!/usr/bin/env bash
# Set up if needed, then lint, types, the import contract and the tests: scripts/test.sh [PYTEST OPTIONS]
# With --long also the tests that take many seconds each, most of which train networks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=dev
source scripts/setup.sh
source scripts/chromium.sh

echo "== ruff"
ruff check .
ruff format --check .
echo "== mypy"
# The types that NumPy states for itself differ between the versions that other Pythons get.
if python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    mypy
else
    echo "types are checked on Python 3.11"
fi
echo "== import contract"
lint-imports
echo "== pytest"
# Two processes share the machine: each begins with half of the files, and who is done helps the other.
python -m pytest --numprocesses 2 --dist worksteal "$@"
