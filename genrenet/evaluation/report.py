"""The report of a test: numbers for programs, a table of songs, pictures, and a page for people.

`write_report` writes into one folder:

``results.json``
    Every number of the page.
``predictions.csv``
    One row a song, as `predictions_table` gives it.
``confusion_songs.png``, ``confusion_frames.png``
    The confusion matrices, for slides and papers.
``report.html``
    All of it on one page that needs nothing from outside, on any screen, light or dark.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from genrenet import figures
from genrenet.errors import GenrenetError, printable

MISTAKES, SKIPPED = 25, 100  # rows of these tables that the page shows

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--ink:#1d2530;--muted:#5c6670;--line:#dfe4ea;--card:#f5f7fa;
--heat:33 102 172;--max:.75}
@media(prefers-color-scheme:dark){:root{--bg:#12161b;--ink:#e6eaef;--muted:#9aa5b1;--line:#2c343d;
--card:#1a2027;--heat:125 179 232;--max:.5}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:64rem;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.5rem 0 .5rem}p{margin:.4rem 0}
.note,small{color:var(--muted)}.note{font-size:.9rem;max-width:45rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.75rem;
margin:1.25rem 0 .75rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem}
.card b{display:block;font-size:1.9rem;line-height:1.2}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}.list{width:100%}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child>*{border-bottom:0}thead th{color:var(--muted);font-weight:600}
thead th,.n{white-space:nowrap}.n{text-align:right}.long{min-width:13rem;overflow-wrap:anywhere}
tbody th{position:sticky;left:0;background:var(--bg);white-space:nowrap;font-weight:400}
.heat td{background:rgb(var(--heat)/calc(var(--p,0)*var(--max)));text-align:center;min-width:2.9rem;
line-height:1.15;border:1px solid var(--line)}
.heat td small{display:block;color:inherit}.heat .d{font-weight:700}
.heat thead th{writing-mode:vertical-rl;transform:rotate(180deg);padding:.6rem .35rem}
.bar{background:linear-gradient(90deg,rgb(var(--heat)/.3) calc(var(--p)*100%),transparent 0)}
"""


class ReportError(GenrenetError):
    """A report that cannot be written."""


def predictions_table(
    songs: pd.DataFrame,
    scores: ArrayLike,
    labels: Sequence[str],
    frames: ArrayLike | None = None,
) -> pd.DataFrame:
    """One row a song that was decided.

    Parameters
    ----------
    songs : DataFrame
        With columns ``path`` and ``genre``, one row a song.
    scores : array_like of float, shape (songs, labels)
    labels : sequence of str
    frames : array_like of int, shape (songs,), optional
        Frames of each song; songs with none are left out.

    Returns
    -------
    DataFrame
        ``path``, ``genre``, ``predicted``, ``confidence``, ``frames`` (if given) and a column
        ``score_<label>`` for each label.
    """
    table = np.asarray(scores, dtype=np.float64)
    columns: dict[str, Any] = {"path": list(map(printable, songs["path"]))}
    columns |= {"genre": list(songs["genre"]), "predicted": [labels[i] for i in table.argmax(1)]}
    columns["confidence"] = table.max(axis=1)
    if frames is not None:
        columns["frames"] = np.asarray(frames)
    columns |= {f"score_{label}": table[:, i] for i, label in enumerate(labels)}
    result = pd.DataFrame(columns)
    return result if frames is None else result[result["frames"] > 0].reset_index(drop=True)


def write_predictions(file: str | os.PathLike[str], predictions: pd.DataFrame) -> Path:
    """Write a `predictions_table` as CSV, scores with six digits."""
    file = Path(file)
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        predictions.to_csv(file, index=False, float_format="%.6g", encoding="utf-8")
    return file


def write_report(
    folder: str | os.PathLike[str], results: Mapping[str, Any], predictions: pd.DataFrame
) -> Path:
    """Write the report of a test; what an earlier test wrote there is replaced.

    Parameters
    ----------
    folder : path
        Made if need be.
    results : mapping
        What `genrenet.evaluation.metrics.evaluate` gives, and beside it what is known of
        ``dataset``, ``split``, ``method``, ``parts`` (a dictionary with ``songs`` and ``frames``
        for each part), ``skipped`` (a list of dictionaries with ``path`` and ``reason``),
        ``checkpoint``, ``created`` and ``description`` (settings, nested as they like).
    predictions : DataFrame
        From `predictions_table`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ReportError
        The folder cannot be written.
    """
    folder = Path(folder)
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    page = render(results, predictions)
    write_predictions(folder / "predictions.csv", predictions)
    with _writing(folder):
        # JSON reads the escape of a lone surrogate, which UTF-8 cannot hold, as the surrogate.
        (folder / "results.json").write_text(text, "utf-8", errors="backslashreplace")
        (folder / "report.html").write_text(page, "utf-8")
        for unit in ("song", "frame"):
            if f"confusion_{unit}s" in results:
                title = f"{unit.capitalize()}s: {_percent(results[f'{unit}_accuracy'])} right"
                matrix = results[f"confusion_{unit}s"]
                figure = figures.confusion_matrix(matrix, results["labels"], title)
                (folder / f"confusion_{unit}s.png").write_bytes(figures.to_png(figure))
    return folder / "report.html"


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"cannot write '{printable(path)}'",
            found=error.strerror or str(error),
            remedy="choose a folder that can be written",
        ) from error


# --- the page -------------------------------------------------------------------------------------


def render(results: Mapping[str, Any], predictions: pd.DataFrame) -> str:
    """The page of a report; see `write_report`."""
    title = f"{results.get('method') or 'Genre test'} on {results.get('dataset') or 'songs'}"
    parts = results.get("parts", {}).items()
    skipped = results.get("skipped", [])
    settings = _flat({"checkpoint": results.get("checkpoint"), **results.get("description", {})})
    wrong = predictions[predictions["genre"] != predictions["predicted"]]
    wrong = wrong.sort_values("confidence", ascending=False, kind="stable")
    mistakes = wrong.head(MISTAKES)[["path", "genre", "predicted", "confidence"]]
    sections = {
        "Songs: true genre by predicted genre": _heat_map(results, "songs"),
        "Each genre": _classes(results["per_class"]),
        "Wrong songs, surest first": _rows(
            {"Song": "long", "True": "", "Predicted": "", "Confidence": "n"},
            ((*row[:3], _percent(row[3])) for row in mistakes.itertuples(index=False)),
            len(wrong),
        ),
        "Frames: true genre by predicted genre": _heat_map(results, "frames"),
        "Data": _rows(
            {"Part": "", "Songs": "n", "Frames": "n"},
            ((name, part.get("songs") or 0, part.get("frames") or "") for name, part in parts),
        ),
        "Songs that were skipped": _rows(
            {"Song": "long", "Reason": "long"},
            ((item["path"], item["reason"]) for item in skipped[:SKIPPED]),
            len(skipped),
        ),
        "Settings": _rows({"Setting": "", "Value": "long"}, settings.items()),
    }
    body = "\n".join(
        f"<section><h2>{name}</h2>{content}</section>"
        for name, content in sections.items()
        if content
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{_text(title)}</h1><p>Split: {_text(results.get('split') or 'unknown')}"
        f" <small>{_text(results.get('created', ''))}</small></p>\n"
        f"{_cards(results)}\n{body}\n</body></html>\n"
    )


def _text(value: object) -> str:
    """Text that cannot be taken for markup, without control characters."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return escape("".join(c if c.isprintable() else " " for c in text))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as "network settings n mels": value, without what stands elsewhere."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{name} ")
        elif value is not None and key not in ("labels", "format", "dataset", "split"):
            flat[name] = value
    return flat


def _cards(results: Mapping[str, Any]) -> str:
    cards = []
    for unit in ("song", "frame"):
        if f"{unit}_accuracy" in results:
            lower, upper = (100 * end for end in results[f"{unit}_ci95"])
            cards.append(
                f"{unit.capitalize()} accuracy<b>{_percent(results[f'{unit}_accuracy'])}</b>"
                f"<small>95 % interval {lower:.1f} to {upper:.1f} %, n = {results[f'n_{unit}s']}"
            )
    cards += [
        f"Macro F1 of songs<b>{results['song_macro_f1']:.3f}</b><small>mean over the genres",
        f"For comparison<b>{_percent(results['majority_share'])}</b>"
        "<small>right by always naming the most frequent genre",
    ]
    joined = "".join(f'<div class="card">{card}</small></div>' for card in cards)
    note = "Intervals are Wilson's and hold for this split of this collection."
    if "frame_accuracy" in results:
        note += " Frames of one song are not independent: their interval is too narrow."
    return f'<div class="cards">{joined}</div><p class="note">{note}</p>'


def _table(head: str, body: str, kind: str = "list") -> str:
    head = f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead>'
    return f"{head}<tbody>{body}</tbody></table></div>"


def _rows(head: Mapping[str, str], rows: Iterable[Sequence[object]], total: int = 0) -> str:
    """A table; `head` maps headings to the class of their cells. Empty where there are no rows."""
    kinds = [f' class="{kind}"' if kind else "" for kind in head.values()]
    heads = "".join(f"<th{kind}>{name}</th>" for kind, name in zip(kinds, head, strict=True))
    body = [
        "".join(f"<td{kind}>{_text(value)}</td>" for kind, value in zip(kinds, row, strict=True))
        for row in rows
    ]
    more = f'<p class="note">and {total - len(body)} more</p>' if total > len(body) else ""
    return _table(heads, "".join(f"<tr>{row}</tr>" for row in body)) + more if body else ""


def _classes(classes: Sequence[Mapping[str, Any]]) -> str:
    heads = ("Genre", "Songs", "Recall, with 95 % interval", "Precision", "F1")
    body = ""
    for row in classes:
        body += f"<tr><th>{_text(row['label'])}</th><td>{row['support']}</td>"
        interval = "<small>{:.0f} to {:.0f}</small>".format(*(100 * e for e in row["recall_ci95"]))
        for name, more in (("recall", interval), ("precision", "")):
            bar = f'<td class="bar" style="--p:{row[name]:.3f}">'
            body += f"{bar}{_percent(row[name])} {more}</td>"
        body += f"<td>{row['f1']:.3f}</td></tr>"
    return _table("".join(f"<th>{head}</th>" for head in heads), body)


def _heat_map(results: Mapping[str, Any], unit: str) -> str:
    """A confusion matrix as a table whose cells are shaded by their share of the row."""
    matrix, labels = results.get(f"confusion_{unit}"), results["labels"]
    if matrix is None:
        return ""
    body = ""
    for i, (label, row) in enumerate(zip(labels, matrix, strict=True)):
        body += f"<tr><th>{_text(label)} <small>({sum(row)})</small></th>"
        for j, count in enumerate(row):
            share, kind = count / max(1, sum(row)), ' class="d"' if i == j else ""
            text = f"{count}<small>{100 * share:.0f} %</small>" if count else ""
            body += f'<td{kind} style="--p:{share:.3f}">{text}</td>'
        body += "</tr>"
    heads = "".join(f"<th>{_text(label)}</th>" for label in labels)
    return _table(f"<th></th>{heads}", body, "heat")
