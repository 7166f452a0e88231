"""``genrenet serve``: a web page and a JSON API for genre classification."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from genrenet.cli.parsing import CommandParser, add_engine_options, chosen_taxonomy, count
from genrenet.cli.telling import as_json, say, show
from genrenet.utils.errors import printable

EXAMPLES = """examples:
  genrenet serve --music ~/Music
  genrenet scan ~/Music --out genres.parquet && genrenet serve --music ~/Music --library genres.parquet
  genrenet serve --music ~/Music --checkpoint emotify-cnn --checkpoint gtzan10-crnn --port 9000
  genrenet serve --music /srv/music --host 0.0.0.0
  genrenet serve --music ~/Music --library genres.parquet --opensubsonic
  curl -F file=@song.mp3 http://127.0.0.1:8765/api/classify
  curl --json '{"path": "Miles Davis/So What.mp3"}' http://127.0.0.1:8765/api/classify

Only requests from this machine are accepted, unless --host names another address. Requests then
need the token that is printed at the start. Ctrl-C stops the server.

exit code: 0 stopped by Ctrl-C or SIGTERM, 2 the command could not be carried out
"""  # noqa: E501


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"found {number}, wanted 0 to 65535 (0: any free one)")
    return number


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text}, wanted more than 0")
    return number


def make_parser(command: str) -> CommandParser:
    """Return the parser of the command; see `genrenet.cli.parsers.parsers`."""
    parser = CommandParser(
        "genrenet serve", "Serve a web page and a JSON API for genre classification.", EXAMPLES
    )
    add = parser.add_argument
    add("--music", required=True, metavar="DIR", help="music folder of the page")
    add("--port", type=_port, default=8765, help="default: 8765; 0: any free port")
    add("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    add("--token", help="token for requests from other machines (default: random)")
    add(
        "--checkpoint",
        action="append",
        help="as for 'genrenet classify'; can be repeated to offer a choice of models",
    )
    add("--library", metavar="TABLE", help="table of 'genrenet scan', to browse the library")
    add(
        "--save-playlists",
        action="store_true",
        help="allow the page to save playlists in the music folder",
    )
    add("--embeddings", metavar="FILE", help="file of 'genrenet embed', for similarity by sound")
    add(
        "--at-once",
        type=count,
        default=2,
        metavar="N",
        help="songs processed at the same time (default: 2)",
    )
    add(
        "--queue",
        type=count,
        default=256,
        metavar="N",
        help="maximum number of waiting songs (default: 256)",
    )
    add(
        "--max-upload",
        type=_above_zero,
        default=200.0,
        metavar="MB",
        help="maximum size of an upload (default: 200)",
    )
    add(
        "--max-minutes",
        type=_above_zero,
        default=240.0,
        metavar="MIN",
        help="maximum length of a song (default: 240)",
    )
    add("--opensubsonic", action="store_true", help="also serve music players, under /rest")
    add_engine_options(parser)
    return parser


def uploads_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for uploads, which is removed at the end."""
    return tempfile.TemporaryDirectory(prefix="genrenet-serve-")


def run(command: str, arguments: Sequence[str]) -> int:
    """Run ``genrenet serve``; see `genrenet.cli.main`."""
    options = make_parser(command).parse_args(arguments)
    from genrenet.inference.classify import open_method
    from genrenet.library.song_vectors import read_song_vectors
    from genrenet.library.table import read_about
    from genrenet.models.checkpoints import default_checkpoint
    from genrenet.models.checkpoints.licences import require_commercial
    from genrenet.utils.hardware import keep_freed_memory, stoppable
    from genrenet.utils.progress import working
    from genrenet.web.app import create_app
    from genrenet.web.errors import ServeError
    from genrenet.web.music_folder import Shelf
    from genrenet.web.request_queue import Turns
    from genrenet.web.scoring import Scoring
    from genrenet.web.security import token_for
    from genrenet.web.service import Service
    from genrenet.web.serving import Server, check_address

    keep_freed_memory()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    shelf = Shelf(options.music)
    token = token_for(options.host, options.token)
    check_address(options.host, options.port)  # loading models takes many seconds
    if options.library is not None:
        read_about(options.library)
    if options.embeddings is not None:
        if options.library is None:
            raise ServeError(
                "--embeddings needs a library in which to find similar songs",
                remedy="also pass --library TABLE",
            )
        read_song_vectors(options.embeddings)
    models: dict[str, Any] = {}
    checkpoints = options.checkpoint or [default_checkpoint()]
    for checkpoint in checkpoints:
        name = printable(Path(checkpoint).name)  # its folder is private
        if name in models:
            raise ServeError(f"two checkpoints are called '{name}'", remedy="rename one")
        if options.commercial:
            require_commercial(checkpoint)
        with working(f"loading {name}"):
            models[name] = open_method(
                checkpoint, options.device, options.precision, compiled=options.compile
            )
    scoring = Scoring(
        models,
        Turns(options.at_once, options.queue),
        max_seconds=60 * options.max_minutes,
        trim=options.trim,
        frames=options.frames,
        device=options.device,
        workers=options.workers,
        taxonomy=chosen_taxonomy(options),
    )
    service = Service(
        shelf,
        scoring,
        table=options.library,
        embeddings=options.embeddings,
        max_upload=int(options.max_upload * 1e6),
        save_playlists=options.save_playlists,
        checkpoints=checkpoints,
    )
    with suppress(KeyboardInterrupt), stoppable(), uploads_folder() as uploads:
        app = create_app(
            service, uploads, host=options.host, token=token, opensubsonic=options.opensubsonic
        )
        server = Server(app, options.host, options.port)
        query = "" if token is None else f"token?token={quote(token, safe='')}"
        say(f"serving '{printable(shelf.root)}' with {', '.join(models)}")
        if options.library:
            say(f"library: {printable(options.library)}")
        if as_json():
            root, served = printable(shelf.root), list(models)
            table = printable(options.library) if options.library else None
            url = f"{server.url}{query}"
            show({"url": url, "music": root, "models": served, "library": table})
        else:
            print(f"open {server.url}{query}  (Ctrl-C stops the server)", flush=True)
        if options.opensubsonic:
            who = "any" if token is None else "the token"
            say(f"OpenSubsonic: {server.url.rstrip('/')}, any user, password: {who}")
        server.run()
    return 0
