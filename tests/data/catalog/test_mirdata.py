"""Data sets of mirdata: the package itself, and folders in its own layout."""

import hashlib
import json
import sys

import numpy as np
import pytest
import soundfile as sf

from genrenet.cli import main
from genrenet.data.catalog import CatalogError, EmptyCatalogError, check_catalog, read_catalog
from tests.helpers.small_training import TINY

MINI = "gtzan_genre_1.0_mini_index.json"


@pytest.fixture
def home(tmp_path):
    """GTZAN's mini version with three songs of two genres, one of them missing, one changed."""
    folder, tracks = tmp_path / "my data" / "gtzan_genre", {}
    for genre, pitch in (("blues", 0.1), ("hiphop", 0.3)):
        for number in range(4):
            name = f"gtzan_genre/genres/{genre}/{genre}.{number:05d}.wav"
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            sf.write(file, 0.3 * np.sin(pitch * (1 + number / 9) * np.arange(50_000)), 22_050)
            digest = hashlib.md5(file.read_bytes()).hexdigest()
            # mirdata's index: a path relative to the data set's folder and its MD5, or nothing.
            tracks[f"{genre}.{number:05d}"] = {
                "audio": [name, digest],
                "beats": [None, None],
                "tempo": [None, None],
            }
    (folder / "gtzan_genre/genres/blues/blues.00003.wav").unlink()
    other = 0.2 * np.sin(0.2 * np.arange(50_000))
    sf.write(folder / "gtzan_genre/genres/hiphop/hiphop.00000.wav", other, 22_050)
    index = {"version": "mini", "tracks": tracks}
    (folder / MINI).write_text(json.dumps(index))
    return folder


def test_songs_are_what_mirdata_says(home):
    catalog = read_catalog(f"mirdata:gtzan_genre:mini@{home}")
    assert (catalog.format, catalog.name) == ("mirdata", "gtzan_genre")
    assert catalog.genres == ["blues", "hip-hop"]  # as mirdata spells it
    assert list(catalog.table["track_id"])[:3] == ["blues.00000", "blues.00001", "blues.00002"]
    assert len(catalog) == 7
    assert catalog.table["duration"].between(2.2, 2.3).all()
    assert [problem.kind for problem in catalog.problems] == ["missing-file"]
    assert "blues.00003.wav" in str(catalog.problems[0])
    found = check_catalog(catalog)
    assert [p.kind for p in found if "hiphop.00000.wav" in p.path] == ["checksum"]
    assert {p.kind for p in found if "hiphop.00000.wav" not in p.path} == set()
    assert not check_catalog(catalog, decode=False)


def test_commands_and_the_folder_of_all_data_sets(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GENRENET_MIRDATA", str(home.parent))
    source = "mirdata:gtzan_genre:mini"
    assert main(["data", "check", source]) == 1
    printed = capsys.readouterr()
    assert "gtzan_genre (mirdata): 7 songs" in printed.out
    assert "missing-file" in printed.err
    options = ["--models", "knn@spectral-stats", "--protocol", "stratified-3fold"]
    assert main(["evaluate", source, *options, "--out", str(tmp_path / "run")]) == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["dataset"] == "gtzan_genre"
    assert results["models"][0]["n"] == 7
    assert "mirdata lists it" in results["skipped"][0]["reason"]


def test_a_network_is_trained_on_it(home, tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    options = ["--config", str(tmp_path / "tiny.yaml"), "--data.split=stratified"]
    options += ["--trainer.max_steps=1", "--name=run"]
    source = f"--data.source=mirdata:gtzan_genre:mini@{home}"
    assert main(["fit", source, *options, f"--out={tmp_path}"]) == 0
    assert (tmp_path / "run" / "version_0" / "checkpoints" / "last.ckpt").exists()


def test_data_sets_and_versions_that_there_are_not(home):
    with pytest.raises(CatalogError, match=r"no data set 'gtzan_gener'.*gtzan_genre"):
        read_catalog("mirdata:gtzan_gener")
    with pytest.raises(CatalogError, match=r"no data set ''"):
        read_catalog("mirdata:")
    with pytest.raises(CatalogError, match=r"Invalid version maxi.*mini"):
        read_catalog(f"mirdata:gtzan_genre:maxi@{home}")


def test_what_is_not_here_is_not_downloaded(home, tmp_path):
    """Nothing but the command that does it is said; the machine of the tests has no network."""
    said = r"run: python -c \"import mirdata; mirdata.initialize\('gtzan_genre', '.*', 'mini'\)"
    with pytest.raises(CatalogError, match=rf"is not in .*nowhere'; {said}.download\(\)"):
        read_catalog(f"mirdata:gtzan_genre:mini@{tmp_path / 'nowhere'}")
    index = home / MINI
    index.rename(tmp_path / MINI)
    (home / MINI).write_text('{"tracks": {"blues.00000": {}}}')
    with pytest.raises(CatalogError, match=r"mirdata cannot read.*KeyError"):
        read_catalog(f"mirdata:gtzan_genre:mini@{home}")
    (home / MINI).unlink()
    with pytest.raises(CatalogError, match=rf"index of.*{said}.download\(\['index'\]\)"):
        read_catalog(f"mirdata:gtzan_genre:mini@{home}")
    with pytest.raises(EmptyCatalogError, match=r"found 8 songs that are not there; run: "):
        read_catalog(f"mirdata:gtzan_genre:mini@{tmp_path}")


def test_a_data_set_without_genres(tmp_path):
    import mirdata

    sf.write(tmp_path / "one.wav", np.zeros(2_000), 8_000)
    track = {key: [None, None] for key in ("beat", "chords", "keys")}
    track |= {"audio": ["one.wav", ""], "sections": ["Help.lab", ""]}
    index = json.dumps({"version": "x", "tracks": {"0111": track}})
    with pytest.raises(CatalogError, match="index of 'beatles' is not there"):
        read_catalog(f"mirdata:beatles@{tmp_path}")
    name = mirdata.initialize("beatles").index_path.rpartition("/")[2]
    (tmp_path / name).write_text(index)
    with pytest.raises(CatalogError, match="mirdata knows no genres of 'beatles'"):
        read_catalog(f"mirdata:beatles@{tmp_path}")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "mirdata", None)
    with pytest.raises(
        CatalogError, match=r"needs the package mirdata.*pip install 'genrenet\[research\]'"
    ):
        read_catalog("mirdata:gtzan_genre")
