#!/usr/bin/env bash
# Make constraints.txt, the tested set of versions (Python 3.10 to 3.13; Linux, macOS, Windows):
#   scripts/constraints.sh                              versions stay; only what setup.cfg asks for is added
#   scripts/constraints.sh --upgrade 'torch==2.14.1'    the newest of everything, but this torch
#   scripts/constraints.sh --difference                 print what the newest would change; change nothing
# A new set counts as tested when scripts/test.sh has passed with it. Needs uv: pip install uv
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

difference="" upgrade=""
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
made="$work/constraints.txt" held="$work/held.txt"
touch "$held"
for argument in "$@"; do
    case "$argument" in
        --difference) difference=yes upgrade=yes ;;
        --upgrade) upgrade=yes ;;
        -*) sed -n '2,6s/^# //p' "$0" && exit 2 ;;
        *) echo "$argument" >> "$held" ;;
    esac
done
# uv keeps the versions of a file that is there.
[ -n "$upgrade" ] || [ ! -f constraints.txt ] || cp constraints.txt "$made"

uv pip compile --quiet --no-config --no-python-downloads --universal --python-version 3.10 --all-extras \
    --no-header --no-annotate --constraints "$held" --output-file "$made" setup.cfg >/dev/null
if [ -n "$difference" ]; then
    # One line a package whose versions differ; it may have one for each Python.
    awk '/^#/ { next }
         { split($1, pin, "=="); name = pin[1]; names[name]; set = FNR == NR ? "tested" : "newest"
           versions[name, set] = versions[name, set] " " pin[2] }
         END { for (name in names) if (versions[name, "tested"] != versions[name, "newest"])
                   print name ": tested" versions[name, "tested"] ", newest" versions[name, "newest"] }' \
        constraints.txt "$made" | sort
    exit 0
fi
{
    echo "# The versions that were tested together; scripts/constraints.sh makes this file."
    grep -v '^#' "$made"
} > constraints.txt
echo "constraints.txt: $(grep -vc '^#' constraints.txt) versions; now run scripts/test.sh"
