"""The built-in tag formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genrenet import hookimpl

if TYPE_CHECKING:
    from genrenet.library.tag_formats import TagFormat


@hookimpl
def register_tag_formats(register: Callable[[TagFormat], None]) -> None:
    """Add the kinds of file that mutagen supports and whose audio can be compared."""
    from mutagen.aiff import AIFF
    from mutagen.asf import ASF
    from mutagen.dsdiff import DSDIFF
    from mutagen.dsf import DSF
    from mutagen.flac import FLAC
    from mutagen.id3 import ID3FileType
    from mutagen.monkeysaudio import MonkeysAudio
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.musepack import Musepack
    from mutagen.oggflac import OggFLAC
    from mutagen.oggopus import OggOpus
    from mutagen.oggspeex import OggSpeex
    from mutagen.oggvorbis import OggVorbis
    from mutagen.optimfrog import OptimFROG
    from mutagen.tak import TAK
    from mutagen.trueaudio import TrueAudio
    from mutagen.wave import WAVE
    from mutagen.wavpack import WavPack

    from genrenet.library import other_tags as other
    from genrenet.library.tag_formats import APE, TagFormat

    def add(
        summary: str, keys: tuple[str, ...], container: str = "", others: Any = None, **files: Any
    ) -> None:
        key, grouping, style = keys
        for name, file in files.items():
            register(TagFormat(name, summary, file, key, container, others, grouping, style))

    id3 = ("TCON", "GRP1", "TXXX:STYLE")
    add("ID3, TCON", id3, "ends", other.ape_genres, mp3=MP3, aac=ID3FileType, tta=TrueAudio)
    add("ID3, TCON", id3, "", other.info_genres, wav=WAVE)
    add("ID3, TCON", id3, aiff=AIFF, dsf=DSF, dff=DSDIFF)
    vorbis = ("GENRE", "GROUPING", "STYLE")
    add("Vorbis comment, GENRE", vorbis, "flac", other.id3_genres, flac=FLAC)
    ogg = {"ogg": OggVorbis, "opus": OggOpus, "spx": OggSpeex, "oga": OggFLAC}
    add("Vorbis comment, GENRE", vorbis, "ogg", **ogg)
    itunes = ("\xa9gen", "\xa9grp", "----:com.apple.iTunes:STYLE")
    add("MP4, \xa9gen", itunes, "mp4", other.mp4_genres, m4a=MP4)
    ape = {"ape": MonkeysAudio, "mpc": Musepack, "wv": WavPack, "ofr": OptimFROG, "tak": TAK}
    add("APEv2, Genre", APE, "ends", other.id3_genres, **ape)
    asf = ("WM/Genre", "WM/ContentGroupDescription", "WM/Style")
    add("ASF, WM/Genre", asf, "", other.asf_genres, wma=ASF)
