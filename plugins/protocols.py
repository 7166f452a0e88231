"""The built-in protocols: which songs are for training and which for testing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.evaluation.protocols import ProtocolKind

ARTIST = (
    "Folds by artist: no artist is in both the training and the test set, so voices, studios and "
    "albums cannot be recognised instead of genres. This is the accuracy to expect on artists that "
    "the model was not trained on."
)
STRATIFIED = (
    "Stratified folds: songs are shuffled within their genre, regardless of artist. Songs of one "
    "artist or album, and repeated recordings, are in both the training and the test set, so the "
    "accuracy also rewards recognising them."
)
FAULT_FILTERED = (
    "The fault-filtered split of GTZAN (443 songs for training, 197 for validation, 290 for "
    "testing): repeated and distorted excerpts are left out, and each known artist is in only one "
    "of the sets."
)
THIRTY = (
    "70 % of each genre's songs are for training and 30 % for testing, drawn anew for every seed, "
    "regardless of artist: songs of one artist are in both sets."
)
COLUMN = (
    "The collection's own split, from its column 'split'. Methods that need no validation songs "
    "are also trained on these."
)
ACROSS = (
    "Trained on all songs of one collection, some of them for validation, and tested on the songs "
    "of another one: recordings, selection of songs and annotators differ, as they do when a model "
    "is used in practice."
)


@hookimpl
def register_protocols(register: Callable[[ProtocolKind], None]) -> None:
    """Add the built-in protocols."""
    from genrenet.evaluation.protocols import ProtocolKind

    def folds(name: str) -> Lazy:
        return Lazy("genrenet.evaluation.protocols.folds", name)

    number = "(?P<n_folds>[2-9]|[1-9][0-9]+)"
    for kind in (
        ProtocolKind(
            "artist-5fold",
            "folds by artist; any number of folds",
            ARTIST,
            folds("artist_folds"),
            pattern=f"artist-{number}fold",
        ),
        ProtocolKind(
            "stratified-10fold",
            "stratified folds of shuffled songs; any number of folds",
            STRATIFIED,
            folds("stratified_folds"),
            lenient=True,
            pattern=f"stratified-{number}fold",
        ),
        ProtocolKind(
            "fault-filtered",
            "GTZAN's split without faulty excerpts",
            FAULT_FILTERED,
            folds("gtzan_fold"),
        ),
        ProtocolKind(
            "70-30", "30 % of each genre for testing", THIRTY, folds("thirty_percent"), True
        ),
        ProtocolKind("column", "the split in the column split", COLUMN, folds("column_fold")),
        ProtocolKind(
            "across", "training and test set from two collections", ACROSS, folds("across_fold")
        ),
    ):
        register(kind)
