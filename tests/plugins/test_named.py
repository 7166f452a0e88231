"""Common properties of all kinds of methods: settings, seeds, and errors with suggestions."""

import pytest
from sklearn.tree import DecisionTreeClassifier

from genrenet.baselines import Baseline, BaselineError
from genrenet.plugins.named import find_method
from genrenet.recommend import Recommender, RecommendError, recommender


class Chart:
    """A recommender with a setting."""

    def __init__(self, limit: int, random_state: int = 0) -> None:
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        self.limit, self.random_state = limit, random_state


def test_settings_and_seeds_are_alike_for_all_kinds():
    tree = Baseline("tree", "a tree", DecisionTreeClassifier, "spectral-stats")
    chart = Recommender("chart", "a chart", Chart)
    assert chart.parameters() == {"limit": None, "random_state": 0}
    assert chart.make(7, limit=3).random_state == tree.make(7).random_state == 7
    assert chart.make(7, limit=3, random_state=1).random_state == 1


@pytest.mark.parametrize(
    ("kind", "error"), [(Baseline, BaselineError), (Recommender, RecommendError)]
)
def test_errors_are_those_of_the_kind(kind, error):
    more = ("spectral-stats",) if kind is Baseline else ()
    method = kind("chart", "a chart", Chart, *more)
    with pytest.raises(error, match=r"has no setting 'limt'.*did you mean 'limit'\?"):
        method.make(limt=3)
    with pytest.raises(error, match=r"cannot be made: limit must be 1 or more"):
        method.make(limit=0)
    with pytest.raises(error, match="has no estimator"):
        kind("chart", "a chart", "Chart", *more)
    with pytest.raises(error, match=r"no \w+ 'chrt'.*one of chart.*did you mean 'chart'\?"):
        find_method({"chart": method}, "chrt", kind)


def test_recommenders_say_what_they_need_in_known_words():
    assert recommender("content").needs == ("content",)
    with pytest.raises(RecommendError, match="unknown needs"):
        Recommender("chart", "a chart", Chart, ("audio",))
