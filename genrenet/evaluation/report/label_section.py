"""The results of a label check, as sentences for terminals, Markdown and HTML pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def label_lines(check: Mapping[str, Any]) -> list[str]:
    """Return sentences, each figure with its n and 95 % interval.

    Parameters
    ----------
    check : mapping
        Result of `genrenet.evaluation.label_check.check_labels`.

    Examples
    --------
    >>> figure(dict(share=0.5, ci95=[0.4, 0.6], count=50, n=100))
    '50.0 % (50 of 100; 40 to 60 %)'
    """
    count = len(check["methods"])
    by_all = f"all {count} methods" if count > 1 else f"the only method ({check['best']})"
    lines = [
        f"Songs that {by_all} decided wrong: {figure(check['wrong_in_all'])}; confidently "
        f"contradicted by {by_all}: {figure(check['contradicted_by_all'])}.",
        f"The best method, {check['best']}, is right on {figure(check['accuracy'])}, and has the "
        f"right genre among its first two on {figure(check['top2'])}.",
    ]
    for pair in check["pairs"]:
        first, second = pair["genres"]
        verdict = "often confused" if pair["told_apart"] else "not reliably separated"
        lines.append(
            f"{first} and {second} are {verdict}: they cause {figure(pair['errors'])} of the "
            f"errors; among these two alone {figure(pair['within'])} are right (chance: "
            f"{100 * pair['chance']:.0f} %); as one genre, accuracy would be "
            f"{figure(pair['merged'])}."
        )
    if not check["pairs"]:
        lines.append("All pairs of genres can be separated, and none causes most of the errors.")
    return lines


def figure(share: Mapping[str, Any]) -> str:
    """Return a share, its counts and its 95 % interval as text."""
    low, high = (100 * end for end in share["ci95"])
    counts = f"{share['count']} of {share['n']}; {low:.0f} to {high:.0f} %"
    return f"{100 * share['share']:.1f} % ({counts})"
