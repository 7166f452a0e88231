"""From files to genres."""

from genrenet.utils.moved import names_of

# It was a module once.
__getattr__ = names_of(
    __name__,
    ["genrenet.inference.classify"],
    [
        "InferenceError",
        "SongResult",
        "find_songs",
        "open_method",
        "open_model",
        "score_songs",
        "songs_or_error",
    ],
)
