"""Files of deformed songs, cached.

They are mono at the song's own rate, 16 bits, and named by the song's content and the deformation:
the same song gives the same file, in any collection. The seed of noise depends on both names.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import soundfile

from genrenet import audio
from genrenet.audio.deforming import Deformation, DeformationError
from genrenet.utils.atomic import replacing
from genrenet.utils.cache import cache_folder, digest, make_room, unwritable, write_about
from genrenet.utils.errors import GenrenetError
from genrenet.utils.file_stamp import content_sample
from genrenet.utils.progress import progress_bar

CACHE_KIND, VERSION = "deformed", 1
"""Cache folder; its version is incremented when a deformation gives other samples."""


def deformed_songs(
    paths: Iterable[str], deformation: Deformation
) -> tuple[dict[str, str], dict[str, str]]:
    """Deform songs that are not in the cache yet.

    Parameters
    ----------
    paths : iterable of str
    deformation : Deformation

    Returns
    -------
    files : dict of str to str
        The deformed file of each song.
    errors : dict of str to str
        Reason for each song without a file.

    Raises
    ------
    CacheError
        The cache cannot be written.
    """
    make_room(CACHE_KIND)
    settings = f"{deformation.kind} {deformation.strength:g} {VERSION}"
    folder = cache_folder(CACHE_KIND, digest(settings.encode()))
    write_about(folder, deformation.name)
    files: dict[str, str] = {}
    errors: dict[str, str] = {}
    given = list(paths)
    with progress_bar(f"songs as {deformation.name}") as show:
        for done, path in enumerate(given, 1):
            try:
                name = content_sample(path)
                file = folder / name[:2] / f"{name}.flac"
                if file.is_file():
                    file.touch()  # record its use
                else:
                    rate = audio.probe(path).sample_rate
                    seed = int(digest(f"{name} {settings}".encode()), 16)
                    wave = deformation.apply(audio.load(path, None), rate, seed)
                    try:
                        file.parent.mkdir(exist_ok=True)
                        with replacing(file, sync=False) as part:
                            samples = np.clip(wave, -1, 1)
                            soundfile.write(part, samples, rate, format="FLAC", subtype="PCM_16")
                    except OSError as error:
                        raise unwritable(file.parent, error) from error
            except (audio.AudioError, DeformationError, OSError) as error:
                why = str(error) if isinstance(error, GenrenetError) else repr(error)
                errors[path] = f"not deformed: {why}"
            else:
                files[path] = str(file)
            show(done, len(given))
    return files, errors
