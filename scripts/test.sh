#!/usr/bin/env bash
# Set up if needed, then lint, types, the import contract and the tests: scripts/test.sh [PYTEST OPTIONS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=dev
source scripts/setup.sh
source scripts/chromium.sh

echo "== ruff"
ruff check .
ruff format --check .
echo "== mypy"
mypy
echo "== import contract"
lint-imports
echo "== pytest"
# Two processes, each with a file of tests at a time, share the machine.
python -m pytest --numprocesses 2 --dist loadfile "$@"
