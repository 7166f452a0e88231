"""Errors that a request gets as its answer."""

from __future__ import annotations

from genrenet.utils.errors import GenrenetError


class ServeError(GenrenetError):
    """A server that cannot be started."""


class RequestError(GenrenetError):
    """A request that is refused; ``status`` is the answer's HTTP status."""

    status = 400


class NoSuchSong(RequestError):
    """No song of the served folder has this path."""

    status = 404


class TooLarge(RequestError):
    """More bytes than the server takes."""

    status = 413


class NotUsable(RequestError):
    """A file that is no audio, or too long."""

    status = 422


class Ending(RequestError):
    """The server is being stopped."""

    status = 503


class TooMany(RequestError):
    """Every place in the queue is taken."""

    status = 429
    retry_after = 5
    """Seconds after which to try again."""
