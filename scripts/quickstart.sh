#!/usr/bin/env bash
# From nothing to a trained genre model: scripts/quickstart.sh [MUSIC_DIR] [FIT OPTIONS]
# Without MUSIC_DIR it trains on a small corpus that it synthesises; with one, on your own music, one
# folder a genre (or a folder with a tracks.csv, GTZAN, FMA). Options go to 'genrenet fit'.
set -euo pipefail

music=""
case "${1:-}" in
    -h | --help)
        sed -n '2,4s/^# //p' "$0"
        exit 0
        ;;
    "" | -*) ;;
    *)
        if [ -d "$1" ]; then
            music="$(cd -- "$1" && pwd)"
        elif [ -f "$1" ]; then
            music="$(cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")"
        else
            echo "quickstart: no music folder '$1'" >&2
            exit 2
        fi
        shift
        ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=train,web,recommend
source scripts/setup.sh

if [ -n "$music" ]; then
    source_option="$music"
    # The work is bounded by steps, not epochs: about 25 minutes on two cores, however large the folder.
    training=(--config cnn --trainer.max_epochs=1000 --trainer.max_steps=600)
else
    source_option="synthetic"
    training=(--config quickstart)
fi

fail() {
    echo "quickstart: $1" >&2
    exit "${2:-1}"
}
# A command's exit code 1 says that songs were left out, and names them. One broken song among a person's own
# ends nothing here, but is the script's exit code in the end; among its own songs it is a failure.
left_out=0
run() {
    local code=0
    genrenet "$@" || code=$?
    if [ "$code" = 1 ] && [ -n "$music" ]; then
        left_out=1
    elif [ "$code" != 0 ]; then
        fail "'genrenet $1' failed with exit code $code" "$code"
    fi
}

echo "== training on ${music:-a synthetic corpus of eight genres}"
mkdir -p runs/quickstart
started="$(mktemp)"
trap 'rm -f "$started"' EXIT
run fit "${training[@]}" --data.source "$source_option" --name quickstart "$@"
checkpoint="$(find runs/quickstart -path '*/checkpoints/best.ckpt' -newer "$started" | tail -n 1)"
[ -n "$checkpoint" ] || fail "training wrote no checkpoint in runs/quickstart"
report="${checkpoint%/checkpoints/best.ckpt}/test/report"

echo "== testing on songs that training never saw"
run test --ckpt_path "$checkpoint"

echo "== naming the genre of a few of them"
python - "$report/predictions.csv" <<'PY' | xargs -0 genrenet classify --checkpoint "$checkpoint" --timeline \
    || fail "the genre of the songs that were tested could not be named"
import csv, os, sys
rows = csv.DictReader(open(sys.argv[1], encoding="utf-8", newline=""))
paths = [row["path"] for row in rows if os.path.exists(row["path"])]
if not paths:
    sys.exit(f"no songs in '{sys.argv[1]}'")
chosen = paths[:: max(1, len(paths) // 5)][:5]
sys.stdout.buffer.write(b"".join(os.fsencode(path) + b"\0" for path in chosen))
PY

cat <<NEXT

The report: $report/report.html
What next (first: source .venv/bin/activate):
  tensorboard --logdir runs                                     curves, confusion matrices, sounds
  genrenet classify ~/Music --checkpoint $checkpoint
  genrenet classify ~/Music                                     the shipped model: eleven genres, no training
  genrenet fit --config crnn --data.source ${music:-~/Music}     the recurrent network
  genrenet data check ${music:-~/Music}                          what is wrong with a collection
NEXT
[ "$left_out" = 0 ] || fail "some songs could not be used; they are named above"
