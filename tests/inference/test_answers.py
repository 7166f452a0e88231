"""From scores to answers: one genre, several, subgenres, none."""

import dataclasses

import pytest
import torch

from genrenet.inference.answers import SIGMOID, SOFTMAX, AnswerError, AnswerRule, rule_of
from genrenet.models.model import GenreModel

OURS = AnswerRule(0.2, 0.4, ("not music",))
TREE = AnswerRule(0.3, 0.2, parents={"metal": ["rock"], "opera": ["classical"], "trash": ["metal"]})


def test_all_likely_genres_are_named_the_first_first():
    answer = OURS.answer({"jazz": 0.1, "pop": 0.3, "rock": 0.6})
    assert (answer.genre, answer.confidence, answer.unsure) == ("rock", 0.6, False)
    assert list(answer.genres.items()) == [("rock", 0.6), ("pop", 0.3)]
    assert answer.subgenres == {}


def test_one_genre_is_named_where_none_is_likely_and_it_is_unsure():
    answer = OURS.answer(dict.fromkeys("abcdefgh", 0.125))
    assert (list(answer.genres), answer.unsure) == (["a"], True)


@pytest.mark.parametrize(("score", "unsure"), [(0.4, False), (0.399, True)])
def test_the_limit_of_unsure_is_a_confidence_that_is_still_believed(score, unsure):
    assert OURS.answer({"rock": score, "pop": 0.2}).unsure is unsure


def test_what_is_no_music_has_no_genre_and_is_not_named_beside_one():
    speech = OURS.answer({"rock": 0.3, "not music": 0.7})
    assert (speech.genre, speech.genres, speech.unsure) == ("not music", {}, False)
    noisy = OURS.answer({"rock": 0.7, "not music": 0.3})
    assert noisy.genres == {"rock": 0.7}


def test_a_subgenre_brings_all_that_it_lies_under():
    answer = TREE.answer({"rock": 0.1, "metal": 0.1, "trash": 0.6, "opera": 0.2, "classical": 0.4})
    assert answer.genres == {"classical": 0.4, "rock": 0.1}
    assert answer.subgenres == {"trash": 0.6, "metal": 0.1}


@pytest.mark.parametrize("limit", [-0.1, 1.1, "much"])
def test_a_limit_out_of_range_is_refused(limit):
    with pytest.raises(AnswerError, match="several"):
        dataclasses.replace(SOFTMAX, several=limit)


def test_a_checkpoint_may_bring_its_own_limits():
    model = GenreModel(["a", "not music"])
    assert rule_of(model) == SOFTMAX
    model.provenance["answers"] = {"several": 0.1, "not_music": ["noise"]}
    model.provenance["hierarchy"] = {"b": ["a"]}
    assert rule_of(model) == AnswerRule(0.1, SOFTMAX.unsure, ("noise",), {"b": ["a"]})
    assert rule_of(GenreModel(["a", "b"], activation="sigmoid")) == SIGMOID
    model.provenance["answers"] = [0.1]
    with pytest.raises(AnswerError, match="answers"):
        rule_of(model)


def test_limits_are_kept_in_the_file_of_a_checkpoint(tmp_path):
    from genrenet.models.checkpoints import open_checkpoint, write_checkpoint

    model = GenreModel(["a", "b"]).eval()
    model.provenance["answers"] = {"several": 0.125, "unsure": 0.3}
    opened = open_checkpoint(write_checkpoint(model, tmp_path / "m.ckpt"))
    assert rule_of(opened) == AnswerRule(0.125, 0.3, ("not music",))
    assert torch.equal(opened.network.head.bias, model.network.head.bias)
