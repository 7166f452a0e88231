"""Commands and snippets of the README and its pages, and how each is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
NAMES = ("training", "library", "server", "playlists", "recommendations", "models", "evaluation")
NAMES += ("plugins", "performance")
PAGES = (README, *(ROOT / "docs" / f"{name}.md" for name in NAMES))
"""The README and the pages that go on where it ends, in the order in which their commands run."""

TINY = " --config tiny.yaml"
QUICK = " --trainer.max_epochs 1 --name cnn"
BEST = "runs/cnn/version_0/checkpoints/best.ckpt"

USE = {
    "genrenet init ~/Music": "",
    "genrenet scan": " --checkpoint emotify-cnn",
    "genrenet tag --write": "",
    "genrenet playlist --genre rock --out rock.m3u8": " --min-confidence 0 --by-score",
    "genrenet classify song.mp3 ~/Music": "",
    "genrenet data check ~/Music": "",
    "genrenet data labels ~/Music": " --models knn@spectral-stats --protocol stratified-3fold",
    "genrenet fit --config cnn --data.source ~/Music": TINY + QUICK,
    f"genrenet test --ckpt_path {BEST}": "",
    f"genrenet classify song.mp3 ~/Music --checkpoint {BEST} --timeline": "",
    f"genrenet predict --ckpt_path {BEST} --data.source ~/Other": "",
    # The default would say that the tones of the tests are no music.
    "genrenet scan ~/Music --out genres.parquet": " --checkpoint emotify-cnn",
    "genrenet tag genres.parquet": "",
    "genrenet tag genres.parquet --min-confidence 0.8 --write": "",
    "genrenet correct ~/Music/odd/song.mp3 blues --library genres.parquet": "",
    "genrenet adapt genres.parquet --out mine.ckpt": "",
    "genrenet classify mix.ogg --timeline": "",
    "genrenet playlist genres.parquet --genre rock --min-confidence 0.7 --length 60min "
    "--out rock.m3u8": " --min-confidence 0 --by-score",
    "genrenet playlist genres.parquet --genre pop:2 rock:1 --length 1h30 --order shuffle --seed 7 "
    "--out evening.xspf": " --min-confidence 0 --by-score",
    "genrenet playlist ~/Music --genre classical --songs 20 --frames 3 --out calm.m3u8": (
        " --min-confidence 0 --by-score --checkpoint emotify-cnn"
    ),
    "genrenet playlist genres.parquet --genre rock --songs 50 --order smooth --embeddings "
    "songs.npz --out rock.m3u8": " --min-confidence 0 --by-score",
    "genrenet playlist genres.parquet --genre pop --exclude Christmas 'artist:the x*' "
    "--exclude-list old.m3u8 --out pop.json": " --min-confidence 0 --by-score",
}
"""Commands that are run in this order, and what is appended to keep them small."""

METHODS = {
    "genrenet recommend plays.csv --user anna": "",
    "genrenet recommend plays.csv --model als --all-users --out recs.csv": "",
    "genrenet embed ~/Music --backbone musicnn-msd --per song --out songs.npz": "",
    "genrenet recommend songs.npz --like song.mp3": "",
    "genrenet recommend evaluate plays.csv --seeds 3": " --models popularity,item-knn",
    "genrenet checkpoints list": "",
    "genrenet classify song.mp3 --checkpoint gtzan10-crnn": "",
    "genrenet embed ~/Music --backbone musicnn-msd --layer embedding --out songs.parquet": "",
    "genrenet baseline svm ~/Music --out svm.skops": "",
    "genrenet classify song.mp3 --checkpoint svm.skops": "",
    "genrenet plugins": "",
}
"""As `USE`; published models are stood in for by a small one, whose weights are on the machine."""

ELSEWHERE = {
    "scripts/quickstart.sh": "tests/scripts/test_quickstart.py",
    "scripts/quickstart.sh ~/Music": "tests/scripts/test_quickstart.py",
    "scripts/test.sh": ".ci/run",
    "git clone ADDRESS genrenet && cd genrenet": ".ci/run",
    "python3 -m venv .venv": "scripts/setup.sh",
    ".venv/bin/pip install --constraint constraints.txt torch torchaudio --index-url "
    "https://download.pytorch.org/whl/cpu": "constraints.txt",
    "source .venv/bin/activate": "scripts/setup.sh",
    "python scripts/benchmark.py classify --data ~/Music": "scripts/benchmark_classify.py",
    "tensorboard --logdir runs": "tests/training/test_monitoring.py",
    "genrenet scan ~/Music --out genres.parquet --watch": "tests/cli/test_scan_watch.py",
    "torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 "
    "-m genrenet scan /shared/music --out /shared/genres.parquet": (
        "tests/docs/test_readme_servers.py"
    ),
    "srun --nodes 2 --ntasks-per-node 8 genrenet scan /shared/music --out "
    "/shared/genres.parquet": "tests/library",
    "genrenet serve": "tests/docs/test_readme_servers.py",
    "genrenet serve --music ~/Music": "tests/docs/test_readme_servers.py",
    "genrenet serve --music ~/Music --library genres.parquet": "tests/web/test_api.py",
    "curl -F file=@song.mp3 http://127.0.0.1:8765/api/classify": (
        "tests/docs/test_readme_servers.py"
    ),
    """curl --json '{"path": "Miles Davis/So What.mp3"}' http://127.0.0.1:8765/api/classify""": (
        "tests/docs/test_readme_servers.py"
    ),
    "genrenet fit --config cnn --config ddp --trainer.devices 4 --data.source ~/Music": (
        "tests/training/test_distributed.py"
    ),
    "torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 "
    "-m genrenet fit --config cnn --config ddp --trainer.devices 8 --trainer.num_nodes 2 "
    "--data.source /shared/music": "tests/training/test_distributed.py",
    "srun --nodes 2 --ntasks-per-node 8 genrenet fit --config cnn --config ddp --trainer.devices 8 "
    "--trainer.num_nodes 2 --data.source /shared/music": "tests/training/test_distributed.py",
    "genrenet checkpoints import msd-cnn": "tests/models/checkpoints/test_imported.py",
    "genrenet checkpoints export emotify-cnn genres.onnx": (
        "tests/models/checkpoints/test_export.py"
    ),
    "genrenet fit --config transfer --data.source ~/Music": (
        "tests/training/finetuning/test_pretrained.py"
    ),
    "genrenet fit --config transfer-musicnn --data.source ~/Music": (
        "tests/training/finetuning/test_pretrained.py"
    ),
    "genrenet distil --teacher genres,audioset-genres --data.source ~/Music --out student.ckpt": (
        "tests/cli/test_distil.py"
    ),
    "genrenet evaluate ~/Music --models svm,kl-knn,cnn,transfer:musicnn-msd --protocol "
    "artist-5fold --seeds 3 --out runs/methods": "tests/cli/test_evaluate.py",
    "genrenet evaluate ~/Music --models kl-knn,logistic@musicnn-msd --protocol artist-3fold": (
        "tests/cli/test_evaluate.py"
    ),
    "genrenet evaluate features_30_sec.csv --models svm,forest,mlp --protocol "
    "stratified-10fold,fault-filtered": "tests/cli/test_evaluate.py",
    "genrenet evaluate gtzan --config four-genres": "tests/training/test_experiments.py",
    "genrenet compare runs/methods runs/other": "tests/evaluation/test_significance.py",
}
"""Commands that are not run from here: they install, fetch published weights, train for long, or
need several machines. Beside each is the test, or the script, that does what it does."""


def blocks(language: str, *pages: Path) -> list[str]:
    """Text of the fenced blocks of a language on some pages, `PAGES` by default."""
    text = "\n".join(page.read_text("utf-8") for page in pages or PAGES)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands(*pages: Path) -> list[str]:
    """The commands of pages where they first stand, without comments and doubled blanks."""
    lines = "".join(blocks("bash", *pages)).replace("\\\n", " ").splitlines()
    return list(dict.fromkeys(" ".join(_bare(line).split()) for line in lines if _bare(line)))


def _bare(line: str) -> str:
    """A line without its comment."""
    return re.split(r"(?:^|\s+)# ", line)[0].strip()


def arguments(command: str, more: str, music: Path, named: dict[str, str]) -> list[str]:
    """Arguments of ``genrenet`` for a command; ``named`` says what stands for a word."""
    words = [
        word.replace("~/Music", str(music)).replace("~/Other", str(music / "bass"))
        for word in shlex.split(command + more)
    ]
    return [named.get(word, word) for word in words[1:]]
