"""From a collection to batches: parts, crops, order, skipped songs, several processes."""

import numpy as np
import pytest
import soundfile
import torch

from genrenet import audio
from genrenet.data import splits
from genrenet.data.batches import to_float
from genrenet.data.collection import DataError
from genrenet.data.datamodule import GenreDataModule
from genrenet.data.datasets import WINDOW, FileReader, FrameDataset, FrameSampler
from genrenet.data.frames import FrameSettings
from tests.helpers.tones import tone


def _data(source, **settings):
    defaults = {"split": "stratified", "frame_seconds": 1.5, "batch_size": 4, "num_workers": 0}
    return GenreDataModule(str(source), **{**defaults, **settings})


def _ready(data, stage="fit"):
    data.prepare_data()
    data.setup(stage)
    return data


def test_batches_are_raw_waveforms_of_one_frame(music):
    data = _ready(_data(music))
    assert data.labels == ["bass", "middle", "treble"]
    batch = next(iter(data.train_dataloader()))
    assert batch["waveform"].shape == (4, 18_000)
    assert batch["waveform"].dtype == torch.int16
    wave = to_float(batch["waveform"], batch["scale"])
    assert 0.3 < wave.abs().max() <= 1.0
    table = data.part("train")
    for label, song in zip(batch["label"], batch["song"], strict=True):
        assert table["genre"].iloc[int(song)] == data.labels[int(label)]


@pytest.mark.parametrize("store", ["auto", None])
def test_test_frames_are_all_frames_in_order(music, store):
    data = _ready(_data(music, store=store), "test")
    songs = data.n_songs("test")
    batches = list(data.test_dataloader())
    starts = torch.cat([batch["start"] for batch in batches])
    assert starts.tolist() == [0.0, 1.5, 3.0] * songs
    # What the store gives is what the file holds.
    batch, path = batches[0], data.dataset("test").paths[0]
    wanted = audio.load(path, 12_000, 1.5, 1.5)
    wave = to_float(batch["waveform"], batch["scale"])[1].numpy()
    assert np.abs(wave - wanted).max() < 1e-3


def test_parts_are_disjoint_and_complete(music):
    data = _data(music)
    parts = [set(data.part(name)["path"]) for name in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 24


def test_a_split_without_validation_takes_some_from_training(music):
    whole, carved = _data(music), _data(music, split="70-30")
    given = splits.make_split(whole.catalog.table, "70-30")
    assert given.counts()["validation"] == 0
    counts = carved.split.counts()
    assert counts["validation"] == 3  # one of each genre
    assert counts["test"] == given.counts()["test"]
    assert carved.split.name == given.name
    assert set(carved.part("validation")["genre"]) == {"bass", "middle", "treble"}
    table = whole.catalog.table.assign(artist=[f"artist {row // 2}" for row in range(24)])
    by_artist = splits.with_validation(table, splits.make_split(table, "70-30"), by="artist")
    train, held_out = (
        table.iloc[by_artist.indices(table, part)] for part in ("train", "validation")
    )
    assert len(held_out)
    assert not set(train["artist"]) & set(held_out["artist"])


def test_crops_depend_on_seed_and_epoch_alone(music):
    def crops(seed, epoch):
        data = _ready(_data(music, seed=seed))
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)
        return torch.cat([batch["start"] for batch in loader]).tolist()

    assert crops(0, 0) == crops(0, 0)
    assert crops(0, 1) == crops(0, 1)
    assert crops(0, 0) != crops(0, 1)
    assert crops(0, 0) != crops(1, 0)


def test_fixed_frames_and_several_crops(music):
    fixed = _ready(_data(music, crops="fixed")).dataset("train")
    once = _ready(_data(music)).dataset("train")
    thrice = _ready(_data(music, crops_per_song=3)).dataset("train")
    assert len(fixed) == 3 * len(once)
    assert len(thrice) == 3 * len(once)


def test_trim_is_settled_by_the_collection(music):
    assert _data(music).frames.trim == 0.0
    assert _data(music, trim=1.0).frames.trim == 1.0


def _cut(path, share):
    """Let a FLAC file end early; its header goes on to promise all of it."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])


@pytest.fixture
def with_cut_songs(music, tmp_path):
    """Twelve songs of the music, one of which ends in its middle and one after its first moment."""
    root = tmp_path / "music"
    for genre in ("bass", "treble"):
        (root / genre).mkdir(parents=True)
        for file in sorted((music / genre).iterdir())[:6]:
            (root / genre / file.name).symlink_to(file)
    for name, share in {"half.flac": 0.5, "stump.flac": 0.05}.items():
        soundfile.write(root / "bass" / name, tone(150, 6.0), 12_000)
        _cut(root / "bass" / name, share)
    return root


@pytest.mark.parametrize("store", ["auto", None])
def test_songs_that_are_cut_short_are_used_as_far_as_they_go(with_cut_songs, store, caplog):
    """The same way with a store and without one, and each is named once."""
    data = _data(with_cut_songs, store=store, max_songs=None, crops="fixed")
    for stage in ("fit", "test", "predict"):
        _ready(data, stage)
    named = {path.rsplit("/", 1)[1]: why for path, why in data.truncated.items()}
    assert list(named) == ["half.flac"]
    assert "cut short or damaged" in named["half.flac"]
    assert [path.rsplit("/", 1)[1] for path in data.skipped] == ["stump.flac"]
    assert sum("used as far as it can be read" in line for line in caplog.messages) == 1
    dataset = data.dataset("all")
    cut = next(row for row, path in enumerate(dataset.paths) if path.endswith("half.flac"))
    assert 2.0 < dataset.lengths[cut] / 12_000 < 4.0
    items = [dataset[0, row, True] for row in np.flatnonzero(dataset.songs == cut)]
    assert 1 <= len(items) <= 2
    for item in items:
        assert bool(item["counted"])
        wave = to_float(item["waveform"][None], item["scale"][None])[0]
        assert wave[-1_000:].abs().max() > 0.1  # sound up to the frame's end


def test_with_a_store_and_without_one_the_songs_are_as_long(with_cut_songs):
    lengths = [
        _ready(_data(with_cut_songs, store=store), "predict").dataset("all").lengths
        for store in ("auto", None)
    ]
    assert lengths[0].tolist() == lengths[1].tolist()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_is_cut_during_training_does_not_count(music, tmp_path, workers, caplog):
    root = tmp_path / "music"
    for genre in ("bass", "treble"):
        (root / genre).mkdir(parents=True)
        for song in range(4):
            soundfile.write(root / genre / f"{song}.flac", tone(200, 6.0, seed=song), 12_000)
    data = _ready(_data(root, store=None, num_workers=workers), "predict")
    for genre in ("bass", "treble"):
        _cut(root / genre / "0.flac", 0.55)
    for _ in range(2):
        batches = [data.on_before_batch_transfer(batch, 0) for batch in data.predict_dataloader()]
    for batch in batches:
        for row, counted in enumerate(batch["counted"].tolist()):
            wave = to_float(batch["waveform"], batch["scale"])[row]
            silent = (wave[-9_000:] == 0).all()  # half of the frame
            assert not (counted and silent)
    failed = sum(int(batch["failed"].sum()) for batch in batches)
    assert 4 <= failed <= 6  # of four frames of each song
    assert set(data.skipped) == {str(root / genre / "0.flac") for genre in ("bass", "treble")}
    assert sum("could not be read" in line for line in caplog.messages) == 2


@pytest.mark.parametrize("store", ["auto", None])
def test_broken_songs_are_skipped_counted_and_listed(music, tmp_path, store):
    root = tmp_path / "music"
    for genre in ("bass", "treble"):
        (root / genre).mkdir(parents=True)
        for file in sorted((music / genre).iterdir()):
            (root / genre / file.name).symlink_to(file)
    (root / "bass" / "broken.mp3").write_text("this is text")
    (root / "treble" / "empty.wav").touch()
    data = _data(root, store=store)
    for stage in ("fit", "test"):
        _ready(data, stage)
    assert {path.rsplit("/", 1)[1] for path in data.skipped} == {"broken.mp3", "empty.wav"}
    assert all(path in error for path, error in data.skipped.items())
    batches = list(data.train_dataloader())
    assert batches
    assert all(batch["counted"].all() for batch in batches)


def test_a_song_that_breaks_in_the_middle_does_not_count(music, tmp_path):
    path = tmp_path / "song.wav"
    path.write_bytes(next((music / "bass").iterdir()).read_bytes())
    reader = FileReader([str(path)], 12_000)
    dataset = FrameDataset([str(path)], [0], reader, FrameSettings(1.5, 0.0))
    assert bool(dataset[0, 2, True]["counted"])
    padding = dataset[0, 2, False]
    assert not bool(padding["counted"])
    assert not bool(padding["failed"])
    path.write_bytes(b"gone")
    item = dataset[0, 2, True]
    assert not bool(item["counted"])
    assert bool(item["failed"])
    assert item["waveform"].shape == (18_000,)


def test_a_short_song_fills_its_frame(music):
    path = str(next((music / "bass").iterdir()))
    reader = FileReader([path], 12_000)
    known = torch.from_numpy(audio.load(path, 12_000))
    for crops in ("fixed", "random"):
        settings = FrameSettings(29.12, 20.0)
        item = FrameDataset([path], [0], reader, settings, crops=crops)[0, 0, True]
        assert torch.equal(item["waveform"], known.repeat(6)[:349_440])
        settings = FrameSettings(29.12, 20.0, fill="zeros")
        item = FrameDataset([path], [0], reader, settings, crops=crops)[0, 0, True]
        assert torch.equal(item["waveform"][:60_000], known)
        assert not item["waveform"][60_000:].any()


@pytest.mark.parametrize("shuffle", [True, False])
def test_processes_share_the_items_and_count_each_once(music, shuffle):
    dataset = _ready(_data(music)).dataset("train")
    shares = [
        list(FrameSampler(dataset, shuffle=shuffle, num_replicas=5, rank=rank, seed=0))
        for rank in range(5)
    ]
    assert len({len(share) for share in shares}) == 1
    counted = [index for share in shares for _, index, counts in share if counts]
    assert sorted(counted) == list(range(len(dataset)))
    assert sum(map(len, shares)) - len(dataset) < 5


def _sampler(dataset, chunks, replicas=1, rank=0, epoch=0, seed=0):
    sampler = FrameSampler(
        dataset, shuffle=True, num_replicas=replicas, rank=rank, seed=seed, chunks=chunks
    )
    sampler.set_epoch(epoch)
    return sampler


@pytest.mark.parametrize("replicas", [1, 2, 5])
def test_processes_share_the_items_and_each_needs_few_chunks_at_a_time(replicas):
    dataset, chunks = range(997), np.arange(997) // 10
    shares = [list(_sampler(dataset, chunks, replicas, rank)) for rank in range(replicas)]
    assert len({len(share) for share in shares}) == 1
    counted = [index for share in shares for _, index, counts in share if counts]
    assert sorted(counted) == list(range(997))
    for share in shares:
        of_item = np.array([chunks[index] for _, index, counts in share if counts])
        names = np.unique(of_item)
        assert len(names) <= 100 / replicas + 2 * WINDOW
        seen = [np.flatnonzero(of_item == name) for name in names]
        # Between a chunk's first and last item lie the items of about as many chunks as are mixed.
        assert max(places[-1] - places[0] for places in seen) <= 1.5 * 10 * WINDOW


def test_the_order_of_chunks_depends_on_seed_and_epoch_alone():
    dataset, chunks = range(300), np.arange(300) // 10

    def order(**keys):
        return [index for _, index, _ in _sampler(dataset, chunks, **keys)]

    assert order() == order()
    assert order() != order(epoch=1)
    assert order() != order(seed=1)


def test_worker_processes_give_the_same_batches(music):
    alone = _ready(_data(music))
    helped = _ready(_data(music, num_workers=2))
    for ours, theirs in zip(alone.train_dataloader(), helped.train_dataloader(), strict=True):
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_max_songs_is_balanced(music):
    part = _data(music, max_songs=6).part("train")
    assert part["genre"].value_counts().tolist() == [2, 2, 2]


def test_bad_settings_are_named(music):
    with pytest.raises(DataError, match="at least 1"):
        _data(music, batch_size=0)


def test_songs_of_the_training_in_a_test_are_counted(music, caplog):
    trained = _ready(_data(music, split_seed=1))
    state = trained.state_dict()
    assert len(state["songs"]) == sum(len(trained.part(name)) for name in ("train", "validation"))

    def told(**settings):
        caplog.clear()
        _ready(_data(music, **settings), "test").load_state_dict(state)
        return caplog.text

    assert told(split_seed=1) == ""
    other = _data(music, split_seed=2)
    both = set(other.part("test")["path"]) - set(trained.part("test")["path"])
    assert both
    assert f"trained on {len(both)} of the {len(other.part('test'))} test songs" in told(
        split_seed=2
    )
    state["dataset"] = "another"
    assert told(split_seed=2) == ""
