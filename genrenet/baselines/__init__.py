"""Classical methods on features: what a baseline is, its features, how it is fitted and stored.

The methods themselves come from plugins; the built-in ones are in ``genrenet_plugins``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrenet.utils.lazy import exports

if TYPE_CHECKING:
    from genrenet.baselines.base import (
        Baseline as Baseline,
        BaselineError as BaselineError,
        baseline as baseline,
        baselines as baselines,
        origin as origin,
    )
    from genrenet.baselines.fitted import (
        FittedBaseline as FittedBaseline,
        load_baseline as load_baseline,
    )
    from genrenet.baselines.fitting import fit_baseline as fit_baseline
    from genrenet.baselines.song_features import (
        FeatureMatrix as FeatureMatrix,
        known_features as known_features,
    )

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "base": ["Baseline", "BaselineError", "baseline", "baselines", "origin"],
        "fitted": ["FittedBaseline", "load_baseline"],
        "fitting": ["fit_baseline"],
        "song_features": ["FeatureMatrix", "known_features"],
    },
)
