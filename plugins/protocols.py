"""The built-in protocols: which songs are learnt from and which are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrenet import hookimpl
from genrenet.utils.lazy import Lazy

if TYPE_CHECKING:
    from genrenet.evaluation.protocols import ProtocolKind

ARTIST = (
    "Folds by artist: no artist is both learnt from and judged, so voices, studios and "
    "albums cannot be recognised in place of genres. This is what to expect on artists the model "
    "has not heard."
)
STRATIFIED = (
    "Stratified folds: songs are shuffled within their genre, regardless of artist. "
    "Songs of one artist or album, and repeated recordings, stand on both sides, so a method is "
    "also paid for recognising them."
)
FAULT_FILTERED = (
    "The fault-filtered split of GTZAN (443 songs to learn from, 197 for "
    "validation, 290 judged): repeated and distorted excerpts are left out, and artists that are "
    "known stand on one side only."
)
THIRTY = (
    "70 % of each genre's songs are learnt from and 30 % judged, drawn again for every "
    "seed, regardless of artist: songs of one artist stand on both sides."
)
COLUMN = (
    "The collection's own split, from its column 'split'. Validation songs are learnt "
    "from by methods that need none."
)
ACROSS = (
    "Learnt from all songs of one collection, some of them for validation, and judged on the songs "
    "of another: recordings, selection and labels are others, as they are wherever a model is used."
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
            "shuffled songs; any number of folds",
            STRATIFIED,
            folds("stratified_folds"),
            lenient=True,
            pattern=f"stratified-{number}fold",
        ),
        ProtocolKind(
            "fault-filtered", "GTZAN without its faults", FAULT_FILTERED, folds("gtzan_fold")
        ),
        ProtocolKind("70-30", "30 % of each genre judged", THIRTY, folds("thirty_percent"), True),
        ProtocolKind("column", "as the column split says", COLUMN, folds("column_fold")),
        ProtocolKind(
            "across", "one collection learnt, another judged", ACROSS, folds("across_fold")
        ),
    ):
        register(kind)
