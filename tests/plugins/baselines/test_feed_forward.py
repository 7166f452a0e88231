"""The feed-forward network."""

from genrenet_plugins.baselines.feed_forward import FeedForward

from tests.helpers.estimators import vector_songs


def test_a_network_that_needs_more_steps_says_so_in_an_attribute():
    X, y = vector_songs()
    model = FeedForward(hidden=[4, 3], max_iter=2, random_state=0).fit(X, y)
    assert not model.converged_
    assert model.n_iter_ == 2
    assert FeedForward(max_iter=2000, random_state=0).fit(X, y).converged_
