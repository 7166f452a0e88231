"""Rules for folders: matching, precedence, and errors."""

import pytest

from genrenet.library.tag_plans import Wish
from genrenet.library.tag_rules import RuleError, Rules


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("Podcasts", "/music/podcasts/a.mp3", True),
        ("Podcasts/", "/music/Podcasts/x/a.mp3", True),
        ("Podcasts", "/music/My Podcasts/a.mp3", False),
        ("*Podcasts", "/music/My Podcasts/a.mp3", True),
        ("Bach/*/Live", "/music/Bach/1975/Live/a.mp3", True),
        ("Bach/*/Live", "/music/Bach/1975/Old/Live/a.mp3", False),
        ("Bach/**/Live", "/music/Bach/1975/Old/Live/a.mp3", True),
        ("*.opus", "/music/a/b.opus", True),
        ("/music/a", "/music/a/b.opus", True),
        ("/a", "/music/a/b.opus", False),
        ("track ?.mp3", "/music/track 1.mp3", True),
        ("A.C", "/music/ABC/1.mp3", False),
        ("a*b*c", "/music/axxbyybzzc/1.mp3", True),
        ("a*b*c", "/music/axxbyybzz/1.mp3", False),
        ("a*/b*c/d*", "/music/ax/bbcc/dd/1.mp3", True),
        ("**b*c", "/music/b/x/bxc/1.mp3", True),
        ("a*b?c*d", "/music/abcabbcd/1.mp3", True),
        ("Fru\u0308h", "/music/Fr\u00fch/1.mp3", True),
    ],
)
def test_patterns(pattern, path, matches):
    assert Rules([{"match": pattern, "skip": True}]).wish(path, Wish()).skip == matches


def test_many_stars_take_no_time():
    rules = Rules([{"match": "*a" * 40 + "*b", "skip": True}])
    assert not rules.wish("/music/" + "a" * 250 + "/1.mp3", Wish()).skip
    with pytest.raises(RuleError, match="3 at most"):
        Rules([{"match": "**a**b**c**d", "skip": True}])


def test_later_rules_prevail():
    rules = Rules(
        [
            {"match": ["Rock", "Pop"], "genres": 3, "min-confidence": 0.8, "subgenres": "style"},
            {"match": "Live", "existing": "overwrite", "subgenres": False},
            {"match": "Old", "existing": "refine"},
        ]
    )
    plain = Wish(0.3, force=True)
    assert rules.wish("/Jazz/a.mp3", plain) is plain
    assert rules.wish("/Pop/a.mp3", plain) == Wish(0.8, genres=3, subgenres="style", force=True)
    found = rules.wish("/Pop/Live/a.mp3", plain)
    assert found == Wish(0.8, genres=3, keep_existing=False, force=True)
    found = rules.wish("/Pop/Live/Old/a.mp3", plain)
    assert (found.keep_existing, found.refine) == (True, True)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("Podcasts", "wanted a list"),
        (None, "wanted a list"),
        ([{"skip": True}], "rule 1: found"),
        ([{"match": "a"}, {"match": "b", "skipp": True}], "rule 2 .*'skipp', wanted skip"),
        ([{"match": "a", "genres": 0}], "found 0, wanted 1 or more"),
        ([{"match": "a", "min-confidence": 50}], "found 50, wanted a number from 0 to 1"),
        ([{"match": "a", "existing": "replace"}], "wanted keep, refine or overwrite"),
        ([{"match": "a", "skip": "yes"}], "wanted true or false"),
        ([{"match": "a", "subgenres": "genre"}], "wanted grouping, style or no"),
    ],
)
def test_rules_that_cannot_be_understood(rules, said):
    with pytest.raises(RuleError, match=said):
        Rules(rules)
