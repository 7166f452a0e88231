"""Held-out items: for every user, the right share, never also in training."""

import numpy as np
import pytest
from scipy import sparse

from genrenet.recommend import RecommendError, read_history
from genrenet.recommend.splitting import hold_out


def test_a_fifth_of_each_user_is_held_out(shared_data):
    plays = read_history(shared_data / "lastfm" / "user_artistsload.dat").plays
    split = hold_out(plays, 0.2, 0)
    counts, held = np.diff(plays.indptr), np.diff(split.held.indptr)
    assert ((split.training + split.held) != plays).nnz == 0
    assert split.training.multiply(split.held).nnz == 0
    several = counts > 1
    assert (held[~several] == 0).all()
    assert (held[several] >= 1).all()
    assert (np.diff(split.training.indptr)[several] >= 1).all()
    assert held[counts > 4] == pytest.approx(0.2 * counts[counts > 4], abs=0.5)
    assert split.undivided == (counts == 1).sum() == 5
    again, other = hold_out(plays, 0.2, 0), hold_out(plays, 0.2, 1)
    assert (again.held != split.held).nnz == 0
    assert (other.held != split.held).nnz > 0


def test_items_are_held_out_alike_wherever_they_stand():
    plays = sparse.csr_matrix(np.ones((4000, 5), np.float32))
    shares = np.asarray(hold_out(plays, 0.2, 7).held.mean(axis=0)).ravel()
    assert shares == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_what_cannot_be_divided():
    with pytest.raises(RecommendError, match="no user's items can be divided"):
        hold_out(sparse.csr_matrix(np.eye(3, dtype=np.float32)), 0.2, 0)
    with pytest.raises(RecommendError, match="--holdout: found 1, wanted a share"):
        hold_out(sparse.csr_matrix(np.ones((2, 2), np.float32)), 1.0, 0)
