#!/usr/bin/env bash
# Set up if needed, then build the wheel and try it outside of the checkout: scripts/wheel.sh [FOLDER]
# The wheel is left in FOLDER (dist). It is tried with the packages of the environment.
set -euo pipefail
here="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=dev
source scripts/setup.sh

folder="${1:-$PWD/dist}"
[ "${folder#/}" != "$folder" ] || folder="$here/$folder"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

pip=(python -m pip --quiet --disable-pip-version-check)
# From a copy: what earlier builds left behind is not packed.
mkdir "$work/source" "$work/site" "$work/empty"
tar -c --exclude=__pycache__ genrenet plugins checkpoints setup.cfg pyproject.toml README.md LICENSE \
    | tar -x -C "$work/source"
"${pip[@]}" wheel --no-deps --no-build-isolation --wheel-dir "$work" "$work/source"
"${pip[@]}" install --no-deps --target "$work/site" "$work"/genrenet-*.whl

cd "$work/empty"
export PYTHONPATH="$work/site"
python - "$work/site" <<'PY'
import sys
import genrenet
if not genrenet.__file__.startswith(sys.argv[1]):
    sys.exit(f"found '{genrenet.__file__}', wanted the wheel's, in '{sys.argv[1]}'")
PY
python -m genrenet data synthesise music --artists 1 --songs 1 --seconds 8 --quiet
python -m genrenet classify music --checkpoint emotify-cnn
python -m genrenet fit --help >/dev/null

mkdir -p "$folder"
cp "$work"/genrenet-*.whl "$folder"
echo "wheel: $(ls "$folder"/genrenet-*.whl)"
