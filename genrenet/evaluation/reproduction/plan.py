"""The plan of a reproduction of the source report, and its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from genrenet.evaluation.reproduction.published import MODELS, published_tables
from genrenet.evaluation.reproduction.songs import Material
from genrenet.evaluation.reproduction.tuning import BACKBONES
from genrenet.version import __version__

EVALUATIONS = {"tables": ("vectors", "gaussians"), "networks": ("networks",)}
"""Evaluation runs that are parts of a reproduction."""


@dataclass(frozen=True)
class Plan:
    """The extent of a reproduction.

    Parameters
    ----------
    methods : mapping of str to str
        Method of this package for each of the report's.
    seeds : int > 0
        Number of random selections of the four genres' songs.
    network_seeds : int > 0
        Number of random selections of songs on which networks and classical methods are compared.
    networks : sequence of str, optional
        Networks trained from scratch; by default a CNN and a CRNN, see `network_names`.
    network_epochs : int > 0 or None
        Of networks; None uses their configurations.
    transfers : sequence of str
        Published networks that a new head is trained on.
    classical : sequence of str
        Classical methods that networks are compared with.
    backbones : mapping of str to str
        Published networks that are fine-tuned, by the names of their kinds.
    tuning_epochs : int > 0
    tuning_songs : int > 0 or None
        Maximum number of songs of each part of the split in the fine-tuning study.
    """

    methods: Mapping[str, str] = field(default_factory=lambda: dict(MODELS))
    seeds: int = 10
    network_seeds: int = 3
    networks: Sequence[str] | None = None
    network_epochs: int | None = None
    transfers: Sequence[str] = ("msd-cnn", "msd-crnn", "musicnn-msd")
    classical: Sequence[str] = tuple(MODELS.values())
    backbones: Mapping[str, str] = field(default_factory=lambda: dict(BACKBONES))
    tuning_epochs: int = 30
    tuning_songs: int | None = None


FULL = Plan()
QUICK = Plan(
    seeds=1,
    network_seeds=1,
    network_epochs=2,
    transfers=("musicnn-msd",),
    classical=("gaussian-kmeans", "kl-knn", "knn"),
    tuning_epochs=3,
    tuning_songs=12,
)


@dataclass
class Reproduction:
    """The results of a reproduction.

    Attributes
    ----------
    out : Path
    plan : Plan
    material : Material
    evaluations : dict of str to dict
        `genrenet.evaluation.results.summarise` of ``vectors``, ``gaussians`` and ``networks``.
    tuned : list of dict
        See `genrenet.evaluation.reproduction.tuning.run_study`.
    part : str
        The part that is being run.
    could_not_be_run : list of dict
        ``part``, ``what`` and ``why``.
    """

    out: Path
    plan: Plan
    material: Material
    evaluations: dict[str, dict[str, Any]] = field(default_factory=dict)
    tuned: list[dict[str, Any]] = field(default_factory=list)
    part: str = ""
    could_not_be_run: list[dict[str, str]] = field(default_factory=list)

    @property
    def page(self) -> Path:
        """Path of the page."""
        return self.out / "report.html"

    def keep(self, name: str, results: dict[str, Any]) -> None:
        """Store an evaluation run, in the order of the parts."""
        known = {**self.evaluations, name: results}
        order = [one for names in EVALUATIONS.values() for one in names]
        self.evaluations = {one: known[one] for one in order if one in known}

    def lack(self, what: str, why: str) -> None:
        """Record, once, what of the present part could not be run."""
        if (what, why) not in self.lacking:
            self.could_not_be_run.append({"part": self.part, "what": what, "why": why})

    @property
    def lacking(self) -> list[tuple[str, str]]:
        """What could not be run, and why."""
        return [(row["what"], row["why"]) for row in self.could_not_be_run]

    def take(self, earlier: Mapping[str, Any], parts: Sequence[str]) -> None:
        """Take over results of some parts from an earlier run in the same folder.

        Parameters
        ----------
        earlier : mapping
            See `as_dict`.
        parts : sequence of str
        """
        names = [name for part in parts for name in EVALUATIONS.get(part, ())]
        found = earlier.get("evaluations", {})
        for name in names:
            if name in found:
                self.keep(name, found[name])
        if "finetuning" in parts:
            self.tuned = list(earlier.get("finetuning", []))
        rows = earlier.get("could_not_be_run", [])
        self.could_not_be_run += [row for row in rows if row.get("part") in parts]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "genrenet": __version__,
            "plan": asdict(self.plan),
            "material": self.material.notes,
            "published": [
                {**asdict(table), "accuracy": table.accuracy, "ci95": list(table.ci95)}
                for table in published_tables()
            ],
            "evaluations": self.evaluations,
            "finetuning": self.tuned,
            "could_not_be_run": self.could_not_be_run,
        }
