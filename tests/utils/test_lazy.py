"""Lazily imported names are the same as directly imported ones."""

import importlib
import inspect
import subprocess
import sys
from functools import partial

import pytest

from genrenet.baselines import baselines
from genrenet.features.classical import CLASSICAL
from genrenet.models.checkpoints import published_models
from genrenet.recommend import recommenders
from genrenet.utils.lazy import Lazy, exports

PACKAGES = (
    "genrenet.baselines",
    "genrenet.features",
    "genrenet.models.checkpoints",
    "genrenet.playlists",
    "genrenet.recommend",
)


@pytest.mark.parametrize("name", PACKAGES)
def test_names_of_packages(name):
    package = importlib.import_module(name)
    assert package.__all__
    assert set(package.__all__) <= set(dir(package))
    for public in package.__all__:
        found = getattr(package, public)
        assert not inspect.ismodule(found)
        assert getattr(package, public) is found


def test_a_name_that_is_not_there():
    __getattr__, _, _ = exports("genrenet.data", {"frames": ["FrameSettings"]})
    with pytest.raises(AttributeError, match=r"genrenet\.data.*'nothing'"):
        __getattr__("nothing")


def test_signatures_are_read_without_an_import():
    methods = [*baselines().values(), *recommenders().values()]
    assert len(methods) >= 16
    for method in methods:
        lazy = method.estimator
        fixed = lazy.keywords if isinstance(lazy, partial) else {}
        lazy = lazy.func if isinstance(lazy, partial) else lazy
        assert isinstance(lazy, Lazy)
        loaded = inspect.signature(partial(lazy.load(), **fixed)).parameters.values()
        assert method.parameters() == {
            p.name: None if p.default is p.empty else p.default for p in loaded
        }
    code = (
        "import sys\n"
        "from genrenet.baselines import baselines\n"
        "from genrenet.recommend import recommenders\n"
        "for method in [*baselines().values(), *recommenders().values()]:\n"
        "    assert method.parameters() is not None\n"
        "assert 'sklearn' not in sys.modules\n"
        "before = {m.name: m.parameters() for m in baselines().values()}\n"
        "import genrenet_plugins.baselines.svm, genrenet_plugins.baselines.kl_knn\n"
        "assert before == {m.name: m.parameters() for m in baselines().values()}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        ("class A:\n    def __init__(self, x, *, y: int = 3): pass", False),
        ("class B:\n    def __init__(self, z=(1, 2)): pass\nclass A(B): pass", False),
        ("def A(*args, **kwargs): pass", False),
        ("LAST = 5\ndef A(x=LAST): pass", True),
        ("from functools import partial\nA = partial(sorted, reverse=True)", True),
        ("from argparse import Namespace\nclass A(Namespace): pass", True),
    ],
)
def test_a_signature_is_read_where_it_is_stated(source, imports, tmp_path, monkeypatch):
    (tmp_path / "late.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    try:
        stated = inspect.signature(Lazy("late", "A"))
        assert ("late" in sys.modules) is imports
        real = inspect.signature(importlib.import_module("late").A)
    finally:
        sys.modules.pop("late", None)

    def plain(signature):
        return [str(p.replace(annotation=p.empty)) for p in signature.parameters.values()]

    assert plain(stated) == plain(real)


def test_everything_lazy_is_there():
    lazies = [extractor.extract for extractor in CLASSICAL]
    lazies += [
        file.convert
        for model in published_models().values()
        for file in model.files
        if not isinstance(file.convert, type(lambda: None))
    ]
    for lazy in lazies:
        lazy = lazy.func if isinstance(lazy, partial) else lazy
        assert isinstance(lazy, Lazy)
        assert callable(lazy.load())
