"""The results of a label check, in sentences."""

from genrenet.evaluation.report.label_section import figure, label_lines


def share(count, n=100):
    """A share with an interval around it."""
    return {"share": count / n, "count": count, "n": n, "ci95": [0.1, 0.9]}


def check(methods=("knn", "svm"), pairs=()):
    """A check with a different count in each of its figures."""
    return {
        "methods": list(methods),
        "best": methods[0],
        "wrong_in_all": share(11),
        "contradicted_by_all": share(7),
        "accuracy": share(83),
        "top2": share(95),
        "pairs": list(pairs),
    }


def pair(told_apart):
    """Two genres that are mixed up."""
    return {
        "genres": ["pop", "rock"],
        "told_apart": told_apart,
        "errors": share(31),
        "within": share(57),
        "chance": 0.52,
        "merged": share(91),
    }


def test_each_figure_has_its_counts_and_interval():
    assert figure(share(83)) == "83.0 % (83 of 100; 10 to 90 %)"
    assert figure({"share": 2 / 3, "count": 2, "n": 3, "ci95": [0, 1]}).startswith("66.7 % (2 of 3")


def test_all_methods_or_the_only_one():
    assert "all 2 methods decided wrong: 11.0 % (11 of 100" in label_lines(check())[0]
    alone = label_lines(check(["knn"]))[0]
    assert "Songs that the only method (knn) decided wrong" in alone
    assert "contradicted by the only method (knn): 7.0 %" in alone


def test_the_best_method():
    line = label_lines(check())[1]
    assert "The best method, knn, is right on 83.0 %" in line
    assert "among its first two on 95.0 %" in line


def test_pairs_of_genres():
    clear = label_lines(check())
    assert len(clear) == 3
    assert clear[-1].startswith("All pairs of genres can be separated")
    lines = label_lines(check(pairs=[pair(True), pair(False)]))
    assert len(lines) == 4
    assert lines[2].startswith("pop and rock are often confused: they cause 31.0 %")
    assert lines[3].startswith("pop and rock are not reliably separated: ")
    assert "57.0 % (57 of 100; 10 to 90 %) are right (chance: 52 %)" in lines[3]
    assert "as one genre, accuracy would be 91.0 %" in lines[3]
