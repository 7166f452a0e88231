#!/usr/bin/env bash
# From nothing to a trained genre model: scripts/quickstart.sh [MUSIC_DIR]
# Without MUSIC_DIR it trains on a small corpus that it synthesises; with one, on your own music, one
# folder a genre (or a folder with a tracks.csv, GTZAN, FMA).
set -euo pipefail

case "${1:-}" in
    -h | --help)
        sed -n '2,4s/^# //p' "$0"
        exit 0
        ;;
esac
music=""
if [ $# -gt 0 ]; then
    music="$(realpath -- "$1" 2>/dev/null || true)"
    if [ ! -d "$music" ] && [ ! -f "$music" ]; then
        echo "quickstart: no music folder '$1'" >&2
        exit 2
    fi
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
extra=""
source scripts/setup.sh

if [ -n "$music" ]; then
    source_option="$music"
    # The work is bounded by steps, not epochs: about 25 minutes on two cores, however large the folder.
    training=(--config cnn --trainer.max_epochs=1000 --trainer.max_steps=600)
else
    source_option="synthetic"
    training=(--config quickstart)
fi

echo "== training on ${music:-a synthetic corpus of eight genres}"
genrenet fit "${training[@]}" --data.source "$source_option" --name quickstart
run="$(ls -td runs/quickstart/version_* | head -n 1)"
checkpoint="$run/checkpoints/best.ckpt"

echo "== testing on songs that training never saw"
genrenet test --ckpt_path "$checkpoint"
report="$run/test/report"

echo "== naming the genre of a few of them"
mapfile -d '' songs < <(python - "$report/predictions.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")))
step = max(1, len(rows) // 5)
sys.stdout.write("".join(row["path"] + "\0" for row in rows[::step][:5]))
PY
)
genrenet classify "${songs[@]}" --checkpoint "$checkpoint" --timeline || true

cat <<NEXT

The report: $report/report.html
What next (first: source .venv/bin/activate):
  tensorboard --logdir runs                                     curves, confusion matrices, sounds
  genrenet classify ~/Music --checkpoint $checkpoint
  genrenet fit --config crnn --data.source ${music:-~/Music}     the recurrent network
  genrenet data check ${music:-~/Music}                          what is wrong with a collection
NEXT
