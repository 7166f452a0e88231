#!/usr/bin/env bash
# Set up if needed, then lint, types and the import contract, without the tests: scripts/lint.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=dev
source scripts/setup.sh

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
