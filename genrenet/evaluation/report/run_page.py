"""The page of a run: which method is how good, by how much, and under which protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from genrenet.evaluation.report.html import (
    cards,
    classes_table,
    document,
    escaped,
    heat_map,
    listing,
    percent,
    section,
)
from genrenet.evaluation.report.ranking import number, ranked, span

FEWEST = 8  # groups (artists or songs) without which no verdict is given
PAIRS, MISTAKES, SKIPPED = 10, 15, 100  # rows of these tables that the page shows


def render(
    results: Mapping[str, Any], predictions: pd.DataFrame, drawings: Mapping[str, str]
) -> str:
    """The page.

    Parameters
    ----------
    results : mapping
        `genrenet.evaluation.results.summarise`; and, if there are any, published figures to stand
        beside them as ``reference``: a list with ``name``, ``accuracy`` and ``source``.
    predictions : DataFrame
        `genrenet.evaluation.results.predictions`.
    drawings : mapping of str to str
        SVG markup by name: ``accuracies <protocol>`` and ``reliability <protocol> <model>``.
    """
    several = len(results["protocols"]) > 1
    body = [_why(results)]
    body += [_protocol(results, p, drawings, several) for p in results["protocols"]]
    body += [
        _model(results, row, predictions, drawings, several)
        for protocol in results["protocols"]
        for row in ranked(results, protocol["name"])
        if row["accuracy"] is not None
    ]
    body.append(_published(results.get("reference") or []))
    skipped = results["skipped"]
    body.append(
        section(
            "Songs that were left out",
            listing(
                {"Song": "long", "Reason": "long"},
                ((item["path"], item["reason"]) for item in skipped[:SKIPPED]),
                len(skipped),
            ),
        )
    )
    notes = "".join(f"<p>{escaped(note)}</p>" for note in results.get("notes", []))
    artists = f", {results['n_artists']} artists" if results["n_artists"] else ", artists unknown"
    under = (
        f"<p>{results['n_songs']} songs of {len(results['labels'])} genres{artists}; seeds "
        f"{', '.join(map(str, results['seeds']))} <small>{escaped(results['created'])}, genrenet "
        f"{escaped(results['genrenet'])}</small></p>{notes}"
    )
    return document(f"Which method is better? {results['dataset']}", under, "\n".join(body))


def _published(figures: Sequence[Mapping[str, Any]]) -> str:
    """Figures that others have published, as an experiment's file gives them."""
    table = listing(
        {"Model": "w", "Songs right": "n", "Source": "long"},
        (
            (item.get("name", ""), percent(float(item["accuracy"])), item.get("source", ""))
            for item in figures
        ),
    )
    note = (
        '<p class="note">As published: on other splits, and perhaps other songs, so not to be '
        "compared to the last digit.</p>"
    )
    return section("Published figures", table + note if table else "")


def _why(results: Mapping[str, Any]) -> str:
    """Words on what sets the protocols apart, with how far the best model falls."""
    text = results["why_protocols_differ"]
    if not text:
        return ""
    best = {}
    for protocol in results["protocols"]:
        top = ranked(results, protocol["name"])[0]
        if top["accuracy"] is not None:
            best[protocol["name"]] = f"{top['name']} {percent(top['accuracy'])}"
    figures = "; ".join(f"{name}: {value}" for name, value in best.items())
    return section(
        "Why the protocols differ",
        f"<p>{escaped(text)}</p><p>Best of each: {escaped(figures)}.</p>",
    )


def _protocol(
    results: Mapping[str, Any],
    protocol: Mapping[str, Any],
    drawings: Mapping[str, str],
    several: bool,
) -> str:
    name = protocol["name"]
    rows = ranked(results, name)
    good = [row for row in rows if row["accuracy"] is not None]
    top = []
    if good:
        best = good[0]
        low, high = (100 * end for end in best["ci95_artists"] or best["ci95"])
        top = [
            f"Best: {escaped(best['name'])}<b>{percent(best['accuracy'])}</b><small>song accuracy, "
            f"95 % interval {low:.1f} to {high:.1f} %, n = {best['n']}</small>",
            f"For comparison<b>{percent(_majority(best))}</b><small>right by always naming the "
            "most frequent genre</small>",
        ]
    drawing = drawings.get(f"accuracies {name}", "")
    content = (
        f"<p>{escaped(protocol['meaning'])}</p>{cards(top)}"
        f'<div class="wide">{drawing}</div>'
        f"{_models(rows)}{_notes(good)}"
        f"{_pairs(results, name)}{_leaks(protocol['leakage'])}{_failures(rows)}"
    )
    return section(f"Protocol {name}" if several else f"Models under {name}", content)


def _majority(row: Mapping[str, Any]) -> float:
    support = [entry["support"] for entry in row["per_class"]]
    return float(max(support) / max(1, sum(support)))


def _models(rows: Sequence[Mapping[str, Any]]) -> str:
    good = [row for row in rows if row["accuracy"] is not None]
    columns: dict[str, tuple[str, Callable[[Mapping[str, Any]], object]]] = {
        "Model": ("w", lambda row: row["name"]),
        "Songs right": ("n", lambda row: percent(row["accuracy"])),
        "95 % interval": ("n", lambda row: span(row["ci95"])),
        "by artist": ("n", lambda row: span(row["ci95_artists"])),
        "n": ("n", lambda row: row["n"]),
        "Macro F1": ("n", lambda row: f"{row['macro_f1']:.3f}"),
        "Frames right": ("n", lambda row: number(row["frame_accuracy"])),
        "ECE": ("n", lambda row: f"{row['calibration_error']:.3f}"),
        "Prepare, s": ("n", lambda row: number(row.get("prepare_seconds"), 1)),
        "Fit, s": ("n", lambda row: f"{row['fit_seconds']:.1f}"),
        "Predict, s": ("n", lambda row: f"{row['predict_seconds']:.1f}"),
    }
    shown = {
        head: column for head, column in columns.items() if any(column[1](row) for row in good)
    }
    return listing(
        {head: kind for head, (kind, _) in shown.items()},
        ([cell(row) for _, cell in shown.values()] for row in good),
    )


def _notes(rows: Sequence[Mapping[str, Any]]) -> str:
    texts = ["The interval beside the accuracy takes songs to be independent (Wilson)."]
    if any(row["ci95_artists"] for row in rows):
        texts.append("The one by artist draws artists instead of songs: it is the one to trust.")
    texts.append(
        "ECE is the expected calibration error: by how much confidences miss the accuracy. "
        "Settings were chosen inside the training songs. Seconds are sums over folds, without "
        "features and stores that are made once for all."
    )
    if len({row["n"] for row in rows}) > 1:
        texts.append(
            "Not every model decided every song (n differs): the order counts undecided songs as "
            "wrong, and pairs are compared on the songs both decided."
        )
    if any(row["frame_accuracy"] is None for row in rows):
        texts.append("Methods without a figure for frames look at a song as a whole.")
    return f'<p class="note">{" ".join(texts)}</p>'


def _pairs(results: Mapping[str, Any], protocol: str) -> str:
    pairs = [pair for pair in results["comparisons"] if pair["protocol"] == protocol]
    # The better one first; the surest difference on top.
    turned = []
    for pair in pairs:
        low, high = pair["ci95"]
        if pair["difference"] >= 0:
            names, ends = (pair["first"], pair["second"]), (pair["difference"], low, high)
        else:
            names, ends = (pair["second"], pair["first"]), (-pair["difference"], -high, -low)
        p_values = (pair["p_permutation_holm"], pair["p_mcnemar_holm"])
        turned.append((*names, *ends, pair["groups"], *p_values))
    turned.sort(key=lambda row: (row[6], -row[2]))
    head = {
        "Better": "w",
        "than": "w",
        "by": "n",
        "95 % interval": "n",
        "p, permutation": "n",
        "p, McNemar": "n",
        "verdict": "w",
    }
    cells = [
        (
            better,
            worse,
            f"{100 * by:.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}",
            _p(swapped),
            _p(exact),
            _verdict(groups, swapped),
        )
        for better, worse, by, low, high, groups, swapped, exact in turned
    ]
    body = listing(head, cells[:PAIRS])
    if not body:
        return ""
    if len(cells) > PAIRS:
        rest = listing(head, cells[PAIRS:])
        body += f"<details><summary>and {len(cells) - PAIRS} more pairs</summary>{rest}</details>"
    note = (
        '<p class="note">Differences in percent of the songs. The bootstrap draws artists where '
        "they are known, songs otherwise; McNemar's exact test looks at the first seed's decisions "
        "and takes songs to be independent. Both p-values are adjusted for the number of pairs "
        "(Holm).</p>"
    )
    return f"<h3>Is it really better?</h3>{body}{note}"


def _verdict(groups: int, p: float) -> str:
    if groups < FEWEST:
        return f"too few to tell ({groups})"
    return "better" if p < 0.05 else "may be chance"


def _leaks(text: str) -> str:
    if not text:
        return ""
    first, *rest = text.splitlines()
    more = f"<pre>{escaped_lines(rest)}</pre>" if rest else ""
    return f"<h3>Leakage check</h3><details><summary>{escaped(first)}</summary>{more}</details>"


def escaped_lines(lines: Sequence[str]) -> str:
    """Lines of text that cannot be taken for markup."""
    return "\n".join(escaped(line) for line in lines)


def _failures(rows: Sequence[Mapping[str, Any]]) -> str:
    table = listing(
        {"Model": "", "Why it could not be judged": "long"},
        ((row["name"], row["error"] or "no songs") for row in rows if row["accuracy"] is None),
    )
    return f"<h3>Failed</h3>{table}" if table else ""


def _model(
    results: Mapping[str, Any],
    row: Mapping[str, Any],
    predictions: pd.DataFrame,
    drawings: Mapping[str, str],
    several: bool,
) -> str:
    """All about one model: matrices, classes, reliability, settings, surest mistakes."""
    name, protocol = row["name"], row["protocol"]
    labels = results["labels"]
    chosen = [
        ", ".join(f"{key} {value}" for key, value in setting.items() if key not in ("seed", "fold"))
        for setting in row["settings"]
    ]
    counts = pd.Series(chosen, dtype=object).value_counts()
    mine = predictions[(predictions["model"] == name) & (predictions["protocol"] == protocol)]
    wrong = mine[mine["genre"] != mine["predicted"]]
    wrong = wrong.sort_values("confidence", ascending=False, kind="stable")
    shown = wrong.drop_duplicates("track_id").head(MISTAKES)
    features = row["about"].get("features")
    parts = {
        "Songs: true genre by predicted genre": heat_map(row["confusion_songs"], labels),
        "Frames: true genre by predicted genre": heat_map(row["confusion_frames"], labels),
        "Each genre": classes_table(row["per_class"]),
        "Reliability": drawings.get(f"reliability {protocol} {name}", ""),
        "Songs that it could not decide": listing(
            {"Song": "", "Reason": "long"},
            list((row["skipped"] or {}).items())[:SKIPPED],
            len(row["skipped"] or {}),
        ),
        "Songs that it decided by what can be read of them": listing(
            {"Song": "", "Reason": "long"},
            list((row.get("truncated") or {}).items())[:SKIPPED],
            len(row.get("truncated") or {}),
        ),
        "Settings that were chosen": listing(
            {"Settings": "long", "Folds": "n"}, zip(counts.index, counts, strict=True)
        ),
        "Wrong songs, surest first": listing(
            {"Song": "long", "True": "", "Predicted": "", "Confidence": "n"},
            (
                (song.path, song.genre, song.predicted, percent(song.confidence))
                for song in shown.itertuples(index=False)
            ),
            int(wrong["track_id"].nunique()),
        ),
    }
    inner = "".join(f"<h3>{head}</h3>{content}" for head, content in parts.items() if content)
    used = f", on the features {features}" if features else ""
    under = f" under {protocol}" if several else ""
    summary = f"{name}{under}: {percent(row['accuracy'])}{used}"
    return f'<details class="model"><summary>{escaped(summary)}</summary>{inner}</details>'


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
