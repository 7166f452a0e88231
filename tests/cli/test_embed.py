"""``genrenet embed``: files for other programs, layer names, one-line errors."""

import hashlib

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import soundfile

from genrenet.cli import main
from genrenet.features import SongEmbedding, embed_songs, layer_sizes
from genrenet.library.embedding_files import (
    EmbeddingFileError,
    NpzFile,
    ParquetFile,
)
from genrenet.library.song_vectors import read_song_vectors
from genrenet.models.checkpoints import load_model
from genrenet.utils.atomic import part_of
from tests.helpers.tones import RATE, tone


@pytest.fixture
def paths(music, tmp_path):
    """Two good files around two bad ones."""
    (tmp_path / "bad.mp3").write_text("only text")
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    bad = [str(tmp_path / "bad.mp3"), str(tmp_path / "silent.wav")]
    return [str(music / "bass" / "bass-0.wav"), *bad, str(music / "treble" / "treble-0.wav")]


def test_parquet_of_frames_and_songs(checkpoint, paths, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    arguments = ["embed", *paths, "--backbone", str(checkpoint), "--layer", "conv1,logits"]
    assert main([*arguments, "--trim", "0.5", "--out", str(out)]) == 1
    errors = capsys.readouterr().err
    assert "2 of 4 files had an error" in errors
    assert "bad.mp3" in errors
    expected = list(embed_songs(paths, load_model(checkpoint), ["conv1", "logits"], trim=0.5))

    frames = pd.read_parquet(out)
    assert list(frames) == ["path", "song", "start", "end", "embedding"]
    assert frames["song"].tolist() == [0, 0, 0, 3, 3, 3]
    assert frames["path"].tolist() == [paths[0]] * 3 + [paths[3]] * 3
    assert frames["start"].tolist() == [0.5, 1.75, 3.0] * 2  # a tenth of 5 s at either end
    assert frames["end"].tolist() == [2.0, 3.25, 4.5] * 2
    wanted = np.concatenate([song.frames for song in expected])
    np.testing.assert_allclose(np.stack(frames["embedding"]), wanted, atol=1e-6)

    songs = pd.read_parquet(tmp_path / "out.songs.parquet")
    assert list(songs) == ["path", "frames", "mean", "std", "error"]
    assert songs["path"].tolist() == paths
    assert songs["frames"].tolist() == [3, 0, 0, 3]
    assert [bool(np.isnan(row).all()) for row in songs["mean"]] == [False, True, True, False]
    np.testing.assert_allclose(songs["mean"][3], expected[3].song, atol=1e-6)
    np.testing.assert_allclose(songs["std"][3], expected[3].std, atol=1e-6)
    assert "silent" in songs["error"][2]

    schema = pyarrow.parquet.read_schema(out)
    assert schema.field("embedding").type == pyarrow.list_(pyarrow.float32(), 11)
    metadata = {key.decode(): value.decode() for key, value in schema.metadata.items()}
    assert metadata["backbone"] == str(checkpoint)
    assert metadata["layer"] == "conv1,logits"
    assert metadata["checkpoint"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert metadata["sample_rate"] == str(RATE)
    assert metadata["frame_seconds"] == "1.5"
    assert metadata["trim"] == "0.5"
    assert metadata["heard"] == "20"  # of 1.5 s: as many as are asked for, not as there are


@pytest.mark.parametrize(("per", "files"), [("frame", ["out"]), ("song", ["out"])])
def test_parquet_of_one_kind_is_one_file(per, files, checkpoint, music, tmp_path):
    arguments = ["embed", str(music / "bass"), "--backbone", str(checkpoint), "--per", per]
    assert main([*arguments, "--out", str(tmp_path / "out.parquet")]) == 0
    assert [file.stem for file in tmp_path.iterdir()] == files
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == {"frame": 32, "song": 8}[per]


def test_npz(checkpoint, paths, tmp_path):
    out = tmp_path / "out.npz"
    arguments = ["embed", *paths, "--backbone", str(checkpoint), "--frames", "2", "--out", str(out)]
    assert main(arguments) == 1
    model = load_model(checkpoint)
    size = layer_sizes(model)["embedding"]
    expected = list(embed_songs(paths, model, frames=2))
    with np.load(out) as held:
        assert held["embeddings"].dtype == np.float32
        assert held["embeddings"].shape == (4, size)
        assert held["song"].tolist() == [0, 0, 3, 3]
        assert held["start"].tolist() == [0.0, 3.5] * 2
        assert held["heard"].item() == 2
        assert held["paths"].tolist() == paths
        assert held["song_embeddings"].shape == (4, size)
        np.testing.assert_allclose(held["song_embeddings"][3], expected[3].song, atol=1e-6)
        assert np.isnan(held["song_embeddings"][1]).all()
        assert [bool(error) for error in held["errors"]] == [False, True, True, False]
        assert (held["layer"].item(), held["sample_rate"].item()) == ("embedding", RATE)
    assert main([*arguments, "--per", "song"]) == 1
    with np.load(out) as held:
        assert "embeddings" not in held
        assert len(held["song_embeddings"]) == 4


def test_a_repeat_decodes_nothing(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "cache"))
    song = tmp_path / "song.wav"
    soundfile.write(song, tone(300, 5.0), RATE)
    arguments = ["embed", str(song), "--backbone", str(checkpoint), "--out"]
    assert main([*arguments, str(tmp_path / "one.parquet")]) == 0

    def unwanted(*given, **options):
        raise AssertionError("a song was decoded that is in the cache")

    monkeypatch.setattr("genrenet.features.caching.embed_songs", unwanted)
    assert main([*arguments, str(tmp_path / "two.parquet")]) == 0
    for name in ("{}.parquet", "{}.songs.parquet"):
        one, two = (pd.read_parquet(tmp_path / name.format(which)) for which in ("one", "two"))
        pd.testing.assert_frame_equal(one, two)


def _embedded(count, width=3):
    """Songs of 0, 1, 2, ... frames."""
    rng = np.random.default_rng(0)
    for n in range(count):
        frames = rng.standard_normal((n, width)).astype(np.float32)
        error = None if n else "no audio"
        yield SongEmbedding(f"{n}.mp3", frames, np.arange(n) * 1.0, np.arange(n) + 1.0, error)


def test_frames_are_written_as_songs_come(tmp_path):
    out = tmp_path / "out.parquet"
    songs = list(_embedded(9))
    with ParquetFile(out, "both", {"layer": "x"}, group_bytes=100) as file:
        for song in songs:
            file.add(song)
            assert sum(len(held.frames) for _, held in file.waiting) * 12 < 100
        assert not out.exists()
        file.finish()
    assert {path.name for path in tmp_path.iterdir()} == {"out.parquet", "out.songs.parquet"}
    held = pyarrow.parquet.ParquetFile(out)
    assert held.metadata.num_row_groups > 2
    assert held.schema_arrow.metadata[b"layer"] == b"x"
    frames = held.read().to_pandas()
    assert frames["song"].tolist() == [n for n in range(9) for _ in range(n)]
    wanted = np.concatenate([song.frames for song in songs])
    np.testing.assert_array_equal(np.stack(frames["embedding"]), wanted)


@pytest.mark.parametrize("per", ["frame", "song", "both"])
@pytest.mark.parametrize(("kind", "name"), [(ParquetFile, "x.parquet"), (NpzFile, "x.npz")])
def test_an_interrupted_run_leaves_the_former_file(kind, name, per, tmp_path):
    (tmp_path / name).write_text("what was there before")

    def interrupted():
        with kind(tmp_path / name, per, {}) as file:
            for song in _embedded(3):
                file.add(song)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "what was there before"


def test_a_file_that_cannot_be_written_is_named_first(checkpoint, tmp_path, capsys):
    part_of(tmp_path / "x.parquet").mkdir()
    arguments = ["embed", str(tmp_path / "gone.wav"), "--backbone", str(checkpoint)]
    soundfile.write(tmp_path / "gone.wav", tone(300, 2.0), RATE)
    assert main([*arguments, "--out", str(tmp_path / "x.parquet")]) == 2
    error = capsys.readouterr().err
    assert "cannot write" in error
    assert len(error.strip().splitlines()) == 1


def test_only_bad_files_still_make_a_file(checkpoint, paths, tmp_path):
    for name in ("out.npz", "out.parquet"):
        arguments = ["embed", *paths[1:3], "--backbone", str(checkpoint)]
        assert main([*arguments, "--out", str(tmp_path / name)]) == 1
        assert (tmp_path / name).is_file()
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 0


def test_layers_are_listed(checkpoint, capsys):
    assert main(["embed", "--backbone", str(checkpoint), "--layer", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    sizes = layer_sizes(load_model(checkpoint))
    assert rows == [[name, str(size)] for name, size in sizes.items()]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--layer", "conv9"], "conv1 (8), conv2 (16)"),
        (["--backbone", "gone.ckpt"], "no checkpoint 'gone.ckpt'"),
        (["--out", "out.csv"], ".parquet or .npz"),
        (["--out", "/no/where/out.npz"], "no folder"),
        (["--trim", "-1"], "--trim"),
        (["--device", "warp"], "no device 'warp'"),
    ],
)
def test_wrong_requests_get_one_line(options, words, checkpoint, paths, tmp_path, capsys):
    usual = ["embed", *paths, "--backbone", str(checkpoint), "--out", str(tmp_path / "x.npz")]
    assert main([*usual, *options]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "x.npz").exists()


def test_missing_arguments_are_named(checkpoint, tmp_path, capsys):
    assert main(["embed", "--backbone", str(checkpoint), "--out", "x.npz"]) == 2
    assert "PATH" in capsys.readouterr().err
    assert main(["embed", "x.mp3", "--backbone", str(checkpoint)]) == 2
    assert "--out" in capsys.readouterr().err
    arguments = ["embed", str(tmp_path), "--backbone", str(checkpoint), "--out", "x.npz"]
    assert main(arguments) == 2
    assert "no audio files" in capsys.readouterr().err


def test_all_kinds_of_files_give_the_same_song_vectors(checkpoint, paths, tmp_path):
    found = []
    for per in ("frame", "song", "both"):
        for suffix in ("npz", "parquet"):
            out = tmp_path / f"{per}.{suffix}"
            main(["embed", *paths, "--backbone", str(checkpoint), "--per", per, "--out", str(out)])
            found.append(read_song_vectors(out))
    assert len(found[0].paths) >= 2
    for other in found:
        assert other.paths == found[0].paths
        assert other.layer == "embedding"
        assert other.vectors == pytest.approx(found[0].vectors, abs=1e-6)


def test_what_is_no_file_of_embeddings_is_refused(tmp_path):
    for name in ("no.npz", "no.parquet"):
        with pytest.raises(EmbeddingFileError, match="there is no file"):
            read_song_vectors(tmp_path / name)
        (tmp_path / name).write_bytes(b"something else")
        with pytest.raises(EmbeddingFileError, match="is not a file of embeddings"):
            read_song_vectors(tmp_path / name)
    np.savez(tmp_path / "other.npz", x=[1])
    with pytest.raises(EmbeddingFileError, match="KeyError"):
        read_song_vectors(tmp_path / "other.npz")
