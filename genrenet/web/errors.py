"""Errors that are returned to the client."""

from __future__ import annotations

from genrenet.utils.errors import GenrenetError


class ServeError(GenrenetError):
    """A server that cannot be started."""


class RequestError(GenrenetError):
    """A request that is rejected.

    Attributes
    ----------
    status : int
        The answer's HTTP status.
    retry_after : int > 0, optional
        Seconds after which to try again.
    """

    status = 400
    retry_after: int | None = None


class NoSuchSong(RequestError):
    """No song of the served folder has this path."""

    status = 404


class TooLarge(RequestError):
    """More bytes than the server accepts."""

    status = 413


class NotUsable(RequestError):
    """A file that is not audio, or too long."""

    status = 422


class Ending(RequestError):
    """The server is being stopped."""

    status = 503


class TooMany(RequestError):
    """The queue is full."""

    status = 429
    retry_after = 5


class NotReady(RequestError):
    """The requested data are still being read."""

    status = 503
    retry_after = 2
