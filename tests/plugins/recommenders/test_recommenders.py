"""The built-in recommenders: on real listening, on new users and songs, against their sources."""

import warnings

import numpy as np
import pytest
from genrenet_plugins.recommenders.content_neighbours import ContentNeighbours
from genrenet_plugins.recommenders.hybrid import Hybrid
from genrenet_plugins.recommenders.latent_factors import FactorALS, FactorSVD
from genrenet_plugins.recommenders.neighbourhoods import (
    ItemNeighbours,
    UserNeighbours,
    largest_products,
)
from genrenet_plugins.recommenders.play_weights import PlayWeights, lengths, unit_rows
from genrenet_plugins.recommenders.popularity import Popularity
from scipy import sparse

from genrenet.library.similarity import SongSpace
from genrenet.recommend import metrics, read_history, recommenders
from genrenet.recommend.ranking import recommend
from genrenet.recommend.splitting import hold_out
from genrenet.utils.errors import GenrenetError

LISTENERS = ["popularity", "user-knn", "item-knn", "svd", "als", "hybrid"]
PERSONAL = LISTENERS[1:]


@pytest.fixture(scope="module")
def split(shared_data):
    plays = read_history(shared_data / "lastfm" / "user_artistsload.dat").plays
    return hold_out(plays, 0.2, 0)


@pytest.fixture(scope="module")
def fitted(split):
    """All recommenders that learn from listeners, fitted on real listening."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {name: recommenders()[name].make(0).fit(split.training) for name in LISTENERS}


def ranked(estimator, histories, top=20):
    return np.concatenate([block.items for block in recommend(estimator, histories, top)])


def two_tastes(users=12):
    """Two groups of users: the even ones play items 0 to 4, the odd ones 5 to 9, each but one."""
    table = np.zeros((users, 10), np.float32)
    for user in range(users):
        table[user, 5 * (user % 2) : 5 * (user % 2) + 5] = 3
        table[user, 5 * (user % 2) + user // 2 % 5] = 0
    return sparse.csr_matrix(table)


# --- all of them ----------------------------------------------------------------------------------


def test_personal_recommenders_beat_popularity_on_real_listening(fitted, split):
    rows = np.flatnonzero(np.diff(split.held.indptr))
    histories, held = split.training[rows], split.held[rows]
    found = {
        name: metrics.recall(ranked(estimator, histories), held, 20).mean()
        for name, estimator in fitted.items()
        if name != "hybrid"
    }
    assert 0.08 < found["popularity"] < 0.12
    for name in PERSONAL[:-1]:
        assert found[name] > 2.2 * found["popularity"], found
    assert max(found.values()) > 2.6 * found["popularity"], found


@pytest.mark.parametrize("name", LISTENERS)
def test_scores_do_not_depend_on_who_else_is_asked_about(fitted, split, name):
    some = split.training[:40]
    alone = np.concatenate([fitted[name].score(some[[row]]) for row in range(0, 40, 8)])
    together = fitted[name].score(some)
    assert together.dtype == np.float32
    assert together.shape == some.shape
    # Ranks of items that are nearly equal may be swapped, and the hybrid's scores are ranks.
    if name == "hybrid":
        assert np.abs(together[::8] - alone).max() < 0.05
        assert (ranked(fitted[name], some)[::8] == ranked(fitted[name], some[::8])).mean() > 0.95
    else:
        assert np.allclose(together[::8], alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", LISTENERS)
def test_equal_seeds_give_equal_scores(fitted, split, name):
    again = recommenders()[name].make(0).fit(split.training)
    assert np.array_equal(again.score(split.training[:20]), fitted[name].score(split.training[:20]))


@pytest.mark.parametrize("name", PERSONAL)
def test_small_histories_and_new_users_of_either_taste(name):
    plays = two_tastes()
    estimator = recommenders()[name].make(0).fit(plays)
    items = ranked(estimator, plays, 1)
    missing = [5 * (user % 2) + user // 2 % 5 for user in range(12)]
    assert items[:, 0].tolist() == missing
    new = sparse.csr_matrix(([1.0], ([0], [7])), (1, 10), dtype=np.float32)
    assert set(ranked(estimator, new, 4)[0]) == {5, 6, 8, 9}


@pytest.mark.parametrize("name", LISTENERS)
def test_histories_of_nobody_and_of_a_single_user_do_no_harm(name):
    nobody = sparse.csr_matrix((1, 10), dtype=np.float32)
    estimator = recommenders()[name].make(0).fit(two_tastes())
    items = ranked(estimator, nobody, 10)[0]
    if name in ("popularity", "hybrid"):
        assert sorted(items) == list(range(10))
    else:
        assert (items == -1).all()
    one = two_tastes()[[0]]
    assert np.isfinite(recommenders()[name].make(0).fit(one).score(one)).all()


@pytest.mark.parametrize(
    ("maker", "settings"),
    [
        (UserNeighbours, {"n_neighbors": 0}),
        (UserNeighbours, {"amplification": -1}),
        (UserNeighbours, {"damping": "sqrt"}),
        (ItemNeighbours, {"shrinkage": "much"}),
        (ItemNeighbours, {"rarity": -0.5}),
        (FactorSVD, {"factors": 2.5}),
        (FactorSVD, {"scaling": 1.5}),
        (FactorALS, {"iterations": 0}),
        (FactorALS, {"confidence": float("nan")}),
        (ContentNeighbours, {"n_neighbors": True}),
        (Hybrid, {"collaborative": "content"}),
        (Hybrid, {"weight": 2}),
    ],
)
def test_settings_out_of_range_are_named(maker, settings):
    with pytest.raises(GenrenetError, match=f"{next(iter(settings))}.*wanted"):
        maker(**settings)


# --- each against what it is said to be -----------------------------------------------------------


def test_weights_are_damped_and_rare_items_weigh_more():
    plays = sparse.csr_matrix(np.array([[1, 0, 7], [3, 2, 0], [1, 0, 0]], np.float32))
    weights = PlayWeights("log", 1).fit(plays)
    found = weights.transform(plays).toarray()
    assert found[0, 0] == pytest.approx(np.log(2) * np.log(4 / 3))
    assert found[0, 2] == pytest.approx(np.log(8) * np.log(4 / 1))
    assert PlayWeights("binary", 0).fit(plays).transform(plays).data.tolist() == [1] * 5
    assert lengths(unit_rows(plays)) == pytest.approx(np.ones(3))


@pytest.mark.parametrize("entries", [20_000_000, 50])
def test_largest_products_are_those_of_the_whole_table(monkeypatch, entries):
    import genrenet_plugins.recommenders.neighbourhoods as module

    monkeypatch.setattr(module, "_ENTRIES", entries)
    rng = np.random.default_rng(0)
    table = sparse.random_array((30, 12), density=0.3, rng=rng, dtype=np.float32).tocsr()
    full = (table @ table.T).toarray()
    found = largest_products(table, table, 4).toarray()
    for row in range(30):
        best = np.sort(full[row])[::-1][:4]
        assert np.sort(found[row])[::-1][:4] == pytest.approx(best)
    size = lengths(table)
    shrunk = largest_products(table, table, 30, size, 0.5).toarray()
    np.fill_diagonal(full, 0)
    assert shrunk == pytest.approx(full / (np.outer(size, size) + 0.5), rel=1e-5)


def test_svd_projects_on_the_main_directions_of_the_whole_table():
    plays = two_tastes()
    estimator = FactorSVD(factors=50, scaling=0, rarity=0).fit(plays)
    assert len(estimator.directions_) == 2  # a quarter of the items
    table = unit_rows(PlayWeights("log", 0).fit(plays).transform(plays)).toarray()
    _, _, directions = np.linalg.svd(table)
    own = np.log1p(plays.toarray())
    truth = own @ directions[:2].T @ directions[:2]
    assert estimator.score(plays) == pytest.approx(truth, abs=1e-4)


def test_popularity_is_the_share_of_users():
    plays = sparse.csr_matrix(np.array([[1, 0], [9, 0], [1, 5], [0, 0]], np.float32))
    assert Popularity().fit(plays).score(plays[:1]).tolist() == [[0.75, 0.25]]


# --- content and the hybrid -----------------------------------------------------------------------


def circle(*degrees):
    """Songs as directions in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_content_alone_finds_what_is_near():
    songs = circle(0, 10, 25, 90, 100, 180)
    estimator = ContentNeighbours().fit(sparse.csr_matrix((0, 6), dtype=np.float32), songs)
    one = sparse.csr_matrix(np.array([[1, 0, 0, 0, 0, 0]], np.float32))
    scores = estimator.score(one)[0]
    assert scores == pytest.approx(np.clip(np.cos(np.radians([0, 10, 25, 90, 100, 180])), 0, 1),
                                   abs=1e-6)  # fmt: skip
    both = sparse.csr_matrix(np.array([[1, 0, 0, 1, 0, 0]], np.float32))
    near = ranked(ContentNeighbours(n_neighbors=1).fit(one, songs), both, 2)[0]
    assert set(near) == {1, 4}


def test_content_alone_is_the_order_of_the_songs_space():
    rows = np.random.default_rng(0).standard_normal((50, 8))
    space = SongSpace(rows, "embeddings")
    estimator = ContentNeighbours().fit(sparse.csr_matrix((0, 50)), space.vectors)
    one = sparse.csr_matrix(([1.0], ([0], [3])), (1, 50), dtype=np.float32)
    songs, _ = space.nearest(space.vectors[[3]], 11)
    assert ranked(estimator, one, 10)[0].tolist() == songs[0, 1:].tolist()


def test_content_must_be_there():
    with pytest.raises(GenrenetError, match="content: found None"):
        ContentNeighbours().fit(two_tastes())


def test_hybrid_knows_new_songs_by_content_and_new_users_by_popularity():
    plays = two_tastes()
    plays.resize((12, 12))
    # Items 10 and 11 are new: 10 sounds like the first taste, 11 like the second.
    content = circle(*[0, 5, 8, 12, 15], *[90, 95, 98, 102, 105], 7, 97)
    estimator = Hybrid().fit(plays, content)
    assert estimator.sources(plays[:1]) == ["listeners and content"]
    for user in range(4):
        items = ranked(estimator, plays[[user]], 2)[0]
        assert set(items) == {5 * (user % 2) + user // 2 % 5, 10 + user % 2}
    liked = sparse.csr_matrix(([1.0], ([0], [11])), (1, 12), dtype=np.float32)
    assert estimator.sources(liked) == ["content"]
    assert set(ranked(estimator, liked, 5)[0]) == {5, 6, 7, 8, 9}
    nobody = sparse.csr_matrix((1, 12), dtype=np.float32)
    assert estimator.sources(nobody) == ["popularity"]
    assert ranked(estimator, nobody, 12)[0].tolist() == ranked(
        Popularity().fit(plays), nobody, 12)[0].tolist()  # fmt: skip


@pytest.mark.parametrize("collaborative", ["als", "item-knn"])
def test_hybrid_without_content_ranks_as_its_listeners_do(fitted, split, collaborative):
    some = split.training[:50]
    plain = ranked(fitted[collaborative], some)
    mixed = ranked(Hybrid(collaborative).fit(split.training), some)
    there = plain >= 0
    assert (mixed[there] == plain[there]).mean() > 0.98


def test_weights_of_nothing_and_of_everything_leave_one_part(fitted, split):
    plays = two_tastes()
    content = circle(*range(0, 100, 10))
    by_sound = ranked(ContentNeighbours().fit(plays, content), plays, 5)
    assert (
        ranked(Hybrid(weight=0.0).fit(plays, content), plays, 3) == by_sound[:, :3]
    ).mean() > 0.9
