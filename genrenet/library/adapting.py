"""Adapt a model to its user's corrections, and to labels, without forgetting other songs.

Only the head is refitted (see `genrenet.library.head_fitting`), to the mean embeddings of songs:
those that were corrected or labelled, and others of the library, whose predictions are to be kept.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from genrenet.data.catalog import read_catalog
from genrenet.data.catalog.tags import read_tags
from genrenet.data.splits import artist_groups
from genrenet.evaluation.label_check import share
from genrenet.features import cached_embeddings, song_matrix
from genrenet.inference.answers import NOT_MUSIC
from genrenet.inference.scorers import scorer_format
from genrenet.inference.taxonomy import taxonomy
from genrenet.library.corrections import genres_of, spelled
from genrenet.library.head_fitting import Head, fit_head, taught_targets
from genrenet.library.table import About, file_of, read_about, read_rows
from genrenet.models.checkpoints import (
    export_checkpoint,
    find_checkpoint,
    load_model,
    read_checkpoint,
    write_checkpoint,
)
from genrenet.models.checkpoints.opening import missing_weights
from genrenet.models.model import GenreModel
from genrenet.utils.errors import GenrenetError, printable

PULL, COUNTS, OTHERS = 0.1, 3.0, 300
"""Regularisation towards the old head, weight of a corrected song (others: 1), number of others."""

FEW, FOLDS = 10, 5
"""Maximum number of artists for leave-one-out, and number of folds for more artists."""


class AdaptError(GenrenetError):
    """A model that cannot be adapted, or corrections that contain no information."""


@dataclass
class Songs:
    """Songs with known genres, or whose predictions are to be kept.

    Attributes
    ----------
    paths : list of str
    genres : list of str
        Known genres; empty for songs whose predictions are to be kept.
    groups : list
        Group of each song, such as its artist.
    """

    paths: list[str] = field(default_factory=list)
    genres: list[str] = field(default_factory=list)
    groups: list[Hashable] = field(default_factory=list)


@dataclass(frozen=True)
class Adapted:
    """An adapted model, and its comparison with the former one.

    Attributes
    ----------
    file : Path
        The checkpoint.
    new_genres : list of str
        Those that the former model did not have.
    corrected, labelled, kept : int
        Numbers of training songs: corrected in the table, labelled in a collection, and others of
        the table.
    before, after : dict of str to dict
        Accuracy on ``corrections`` and on ``labels``: shares as of
        `genrenet.evaluation.label_check.share`, ``after`` by heads that were not trained on the
        artist. Empty if there are no such songs.
    agreement : dict or None
        Share of the other songs whose first genre stays the same, by heads that were not trained on
        them.
    held_out : str
        How songs were left out for these heads; empty if there is only one artist, so that nothing
        could be measured.
    """

    file: Path
    new_genres: list[str]
    corrected: int
    labelled: int
    kept: int
    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]
    agreement: dict[str, Any] | None
    held_out: str


def adapt(
    table: str | os.PathLike[str],
    out: str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    others: int = OTHERS,
    pull: float = PULL,
    seed: int = 0,
    device: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Adapted:
    """Refit the head of a model to the corrections in a library's table.

    Parameters
    ----------
    table : path
        Table from ``genrenet scan``, with corrections of ``genrenet correct``.
    out : path
        The checkpoint to write. It leaves out a published backbone if the former one does.
    checkpoint : str or path
        The model to start from; see `genrenet.models.checkpoints.load_model`.
    labels : path, optional
        A collection with known genres, to train on as well.
    others : int >= 0
        Number of uncorrected songs of the library, chosen by ``seed``, whose predictions are to be
        kept.
    pull : float > 0
        See `genrenet.library.head_fitting.fit_head`.
    device : str, optional
        Device for embedding the songs.
    progress : callable, optional
        Called with (songs embedded, total number of songs); cached songs are fast.

    Returns
    -------
    Adapted

    Raises
    ------
    AdaptError
        Neither corrections nor labels, songs that cannot be read, or a model whose head cannot be
        refitted: a classical method, or a network whose logits are not a linear function of its
        embedding.
    TableError, CheckpointError, CatalogError
        A source cannot be read, or the checkpoint cannot be written.

    Notes
    -----
    Songs are evaluated by their mean embedding. For models that average the scores of frames, and
    not their logarithms, that is close to the song's prediction, but not the same.
    """
    file, about = _checkpoint(checkpoint), read_about(table)
    corrected, kept = _of_table(table, others, seed)
    labelled = _of_collection(labels) if labels is not None else Songs()
    if not corrected.paths and not labelled.paths:
        raise AdaptError(
            f"'{printable(table)}' has nothing to train on",
            found="no corrections",
            remedy="record some with 'genrenet correct SONG GENRE --library TABLE', or pass "
            "--labels",
        )
    model = load_model(file)
    _check(model, checkpoint)
    given = {_real(path) for path in (*corrected.paths, *labelled.paths)}
    kept.paths = [path for path in kept.paths if _real(path) not in given]
    paths = [*corrected.paths, *labelled.paths, *kept.paths]
    trim, frames = about.settings.get("trim"), about.settings.get("frames")
    x, usable = song_matrix(
        cached_embeddings(paths, file, trim=trim, frames=frames, device=device, progress=progress)
    )
    taught = len(corrected.paths) + len(labelled.paths)
    if not (usable < taught).any():
        raise AdaptError(
            "no song with a right genre can be read", found=f"{taught} unreadable songs"
        )
    named = _named([*corrected.genres, *labelled.genres], model, about)
    genres = [named[row] for row in usable if row < taught]
    groups = [[*corrected.groups, *labelled.groups][row] for row in usable if row < taught]
    own = (usable[usable < taught] < len(corrected.paths)).astype(bool)
    task = _Task.of(model, x, genres, own, pull)
    head = task.fit(np.ones(len(x), bool))
    new = task.labels[len(model.labels) :]
    measured = task.measure(groups)
    _write(model, file, Path(out), task, head)
    return Adapted(
        Path(out), new, int(own.sum()), int((~own).sum()), len(x) - len(genres), **measured
    )


@dataclass
class _Task:
    """Embeddings of all songs, those with known genres first, and their target scores."""

    old: Head
    labels: list[str]
    x: NDArray[np.float32]
    target: NDArray[np.int64]
    own: NDArray[np.bool_]
    activation: Any
    pull: float

    @classmethod
    def of(
        cls,
        model: GenreModel,
        x: NDArray[np.float32],
        genres: Sequence[str],
        own: NDArray[np.bool_],
        pull: float,
    ) -> _Task:
        labels = genres_of(model.labels, genres)
        layer = model.network.output_layer
        weight, bias = (_array(part) for part in (layer.weight, layer.bias))
        old = Head(weight, bias)
        if more := len(labels) - len(model.labels):
            old = old.widened(more, x)
        target = np.array([labels.index(genre) for genre in genres], np.int64)
        return cls(old, labels, x, target, own, model.activation, pull)

    def fit(self, rows: NDArray[np.bool_]) -> Head:
        """Return a head trained on these songs."""
        n = len(self.target)
        targets = self.old.scores(self.x, self.activation)
        targets[:n] = taught_targets(targets[:n], self.target, self.activation)
        counts = np.concatenate([np.where(self.own, COUNTS, 1.0), np.ones(len(self.x) - n)])
        return fit_head(
            self.old,
            self.x[rows],
            targets[rows],
            counts[rows],
            self.activation,
            pull=self.pull,
        )

    def measure(self, groups: Sequence[Hashable]) -> dict[str, Any]:
        """Return ``before``, ``after``, ``agreement`` and ``held_out`` of `Adapted`."""
        n, rest = len(self.target), len(self.x) - len(self.target)
        first = self.old.logits(self.x).argmax(axis=1)
        kinds = {"corrections": self.own, "labels": ~self.own}
        kinds = {name: mine for name, mine in kinds.items() if mine.any()}

        def right(said: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
            hit = said[:n] == self.target
            return {name: share(int(hit[m].sum()), int(m.sum())) for name, m in kinds.items()}

        different = len({*groups})
        if different < 2:
            none = dict[str, dict[str, Any]]()
            return {"before": right(first), "after": none, "agreement": None, "held_out": ""}
        folds = different if different <= FEW else FOLDS
        said = np.empty(len(self.x), np.int64)
        for held in self._folds(groups, folds):
            said[held] = self.fit(~held).logits(self.x[held]).argmax(axis=1)
        same = share(int((said[n:] == first[n:]).sum()), rest) if rest else None
        how = f"one artist of {folds}" if folds == different else f"a fold of {folds}"
        return {
            "before": right(first),
            "after": right(said),
            "agreement": same,
            "held_out": f"cross-validation by artist: {how} was left out at a time; a song "
            "of an unknown artist counts as an artist of its own",
        }

    def _folds(self, groups: Sequence[Hashable], folds: int) -> Iterator[NDArray[np.bool_]]:
        """Yield the songs that are left out, in turn."""
        place = {group: number for number, group in enumerate(dict.fromkeys(groups))}
        numbers, n = [place[group] for group in groups], len(groups)
        for fold, (_, test) in enumerate(GroupKFold(folds).split(numbers, groups=numbers)):
            held = np.arange(len(self.x)) % folds == fold
            held[:n] = np.isin(np.arange(n), test)
            yield held


def _checkpoint(name: str | os.PathLike[str]) -> Path:
    if scorer_format(name):
        raise AdaptError(
            f"'{printable(name)}' cannot be adapted",
            found="a classical method",
            wanted="a network",
            remedy="train it again with 'genrenet baseline' on a collection of your own",
        )
    return find_checkpoint(name)


@torch.inference_mode()
def _check(model: GenreModel, name: str | os.PathLike[str]) -> None:
    """Raise an error for a network whose logits are not a linear function of its embedding."""
    found, network = "no embedding or no linear head", model.network
    if network.has_embedding and isinstance(getattr(network.owner, "head", None), torch.nn.Linear):
        noise = torch.randn(1, model.frames.n_samples, generator=torch.Generator().manual_seed(0))
        logmel = model.frontend(0.1 * noise)
        wanted, made = network(logmel), network.output_layer(network.embed(logmel))
        if torch.allclose(wanted, made, rtol=1e-3, atol=1e-3):
            return
        found = "logits that are computed in another way"
    raise AdaptError(
        f"'{printable(name)}' cannot be adapted",
        found=found,
        wanted="a network whose logits are a linear layer of its embedding",
        remedy="see genrenet.models.plain for what a network may offer",
    )


def _of_table(table: str | os.PathLike[str], others: int, seed: int) -> tuple[Songs, Songs]:
    """Return the corrected songs of a table, and a sample of the other scored songs."""
    corrected, rest = Songs(), list[str]()
    with closing(read_rows(table)) as rows:
        for row in rows:
            path = file_of(row["path"])
            if row["genre"] is None or not os.path.isfile(path):
                continue
            if row["correction"]:
                corrected.paths.append(path)
                corrected.genres.append(row["correction"])
            else:
                rest.append(path)
    artists = [read_tags(path)[0].get("artist", "") for path in corrected.paths]
    corrected.groups = artist_groups(artists, corrected.paths)
    chosen = np.random.default_rng(seed).permutation(len(rest))[:others]
    return corrected, Songs([rest[number] for number in sorted(chosen)])


def _of_collection(source: str | os.PathLike[str]) -> Songs:
    songs = read_catalog(source, multi_label=False).table
    paths = [str(path) for path in songs["path"]]
    genres = [str(genre) for genre in songs["genre"]]
    return Songs(paths, genres, artist_groups(songs["artist"], paths))


def _named(genres: Sequence[str], model: GenreModel, about: About) -> list[str]:
    """Return genres by the model's names, if a table has them by those of a taxonomy."""
    called: dict[str, str] = {}
    if name := about.settings.get("taxonomy"):
        rename = taxonomy(name).rename
        called = {rename(label): label for label in reversed(model.labels)}
    return [spelled(called.get(genre, genre), model.labels) for genre in genres]


def _write(model: GenreModel, source: Path, out: Path, task: _Task, head: Head) -> None:
    """Write the model with its new head, without the backbone if the source lacks it."""
    partial = bool(missing_weights(read_checkpoint(source), model))
    if NOT_MUSIC in task.labels and NOT_MUSIC not in model.labels:
        answers = dict(model.provenance.get("answers", {}))
        answers["not_music"] = [*answers.get("not_music", []), NOT_MUSIC]
        model.provenance["answers"] = answers
    model.provenance["adapted"] = {
        "from": source.name,
        "corrections": int(task.own.sum()),
        "labels": int((~task.own).sum()),
    }
    model.labels = list(task.labels)
    model.network.reset_classifier(len(model.labels))
    layer = model.network.output_layer
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight))
        layer.bias.copy_(torch.from_numpy(head.bias))
    if not partial:
        write_checkpoint(model, out)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = write_checkpoint(model, Path(folder) / "whole.ckpt")
        export_checkpoint(whole, out, without_backbone=True)


def _array(values: torch.Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = values.detach().double().numpy()
    return found


def _real(path: str) -> str:
    return os.path.realpath(path)
