#!/usr/bin/env bash
# Set up if needed, build the source distribution and the wheel, install the wheel into new environments
# and try it there, outside of the checkout: scripts/wheel.sh [FOLDER]
# Both files are left in FOLDER (dist).
set -euo pipefail
here="$PWD"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=dev
source scripts/setup.sh

folder="${1:-$PWD/dist}"
[ "${folder#/}" != "$folder" ] || folder="$here/$folder"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# From a copy: what earlier builds left behind is not packed. The wheel is made from the source distribution.
mkdir "$work/source" "$work/empty"
tar -c --exclude=__pycache__ genrenet plugins checkpoints setup.cfg pyproject.toml MANIFEST.in constraints.txt \
    CHANGELOG.md CITATION.cff README.md LICENSE | tar -x -C "$work/source"
uv build --quiet --no-config --no-build-isolation --python "$venv/bin/python" --out-dir "$work/dist" "$work/source"
mkdir -p "$folder"
cp "$work"/dist/genrenet-* "$folder"
wheel="$(ls "$work"/dist/genrenet-*.whl)"

install() {
    "$work/env/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" "$1"
}
echo "== the wheel alone, in a new environment"
"$python" -m venv "$work/env"
install "$wheel"
cd "$work/empty"
PATH="$work/env/bin:$PATH"
export PATH
python - "$work/env" <<'PY'
import sys
import genrenet
if not genrenet.__file__.startswith(sys.argv[1]):
    sys.exit(f"found '{genrenet.__file__}', wanted the wheel's, in '{sys.argv[1]}'")
PY
genrenet --version
genrenet plugins >/dev/null
genrenet data synthesise music --artists 2 --songs 2 --seconds 8 --quiet
genrenet classify music --checkpoint genres-cnn
code=0
genrenet serve --music music 2>missing.txt || code=$?
[ "$code" = 2 ] && grep -F "pip install 'genrenet[web]'" missing.txt

echo "== with the extras train and web"
install "$wheel[train,web]"
# A table of features: two genres that its two columns tell apart together, but neither alone.
awk 'BEGIN { print "filename,loudness,tempo,label"
             for (n = 0; n < 60; n++) { tempo = n * 37 % 60 / 60
                 print "song-" n ".wav," n % 2 + n % 3 / 5 - tempo "," tempo "," (n % 2 ? "rock" : "jazz") } }' \
    > features.csv
genrenet evaluate features.csv --models knn --protocol stratified-5fold --out run --quiet
grep -q '"accuracy": 1.0' run/results.json
genrenet fit --help >/dev/null
genrenet serve --music music --checkpoint genres-cnn --port 0 > served.txt 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
python - <<'PY'
import re, sys, time, urllib.request
for _ in range(600):
    address = re.search(r"http://[\d.]+:\d+/", open("served.txt").read())
    if address:
        break
    time.sleep(0.2)
else:
    sys.exit("the page was not served:\n" + open("served.txt").read())
for part in ("", "api/health"):
    with urllib.request.urlopen(address[0] + part) as answer:
        print(answer.status, address[0] + part)
PY
echo "wheel: $folder/$(basename "$wheel")"
