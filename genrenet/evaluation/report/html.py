"""What the pages of reports are made of: style, tables, heat maps; nothing from outside.

A page is read on any screen, light or dark. Text is escaped here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from genrenet.utils.errors import GenrenetError, printable

STYLE = """
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
.wide{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}.list{width:100%}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child>*{border-bottom:0}thead th{color:var(--muted);font-weight:600}
thead th,.n,.w{white-space:nowrap}.n{text-align:right}.long{min-width:13rem;overflow-wrap:anywhere}
tbody th{position:sticky;left:0;background:var(--bg);white-space:nowrap;font-weight:400}
.heat td{background:rgb(var(--heat)/calc(var(--p,0)*var(--max)));text-align:center;min-width:2.9rem;
line-height:1.15;border:1px solid var(--line)}
.heat td small{display:block;color:inherit}.heat .d{font-weight:700}
.heat thead th{writing-mode:vertical-rl;transform:rotate(180deg);padding:.6rem .35rem}
h3{font-size:1rem;margin:1.5rem 0 .4rem}
details.model{border-top:1px solid var(--line);padding:.6rem 0}summary{cursor:pointer}
details.model>summary{font-weight:600}pre{overflow-x:auto;font-size:.85rem}
svg{display:block;max-width:100%;height:auto;background:#fff;border-radius:.5rem}
.bar{background:linear-gradient(90deg,rgb(var(--heat)/.3) calc(var(--p)*100%),transparent 0)}
"""


class ReportError(GenrenetError):
    """A report that cannot be written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn failures to write into errors that say what to do."""
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"cannot write '{printable(path)}'",
            found=error.strerror or str(error),
            remedy="choose a folder that can be written",
        ) from error


def escaped(value: object) -> str:
    """Text that cannot be taken for markup, without control characters."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return escape("".join(c if c.isprintable() else " " for c in text))


def percent(share: float) -> str:
    """A share as text, such as ``68.3 %``."""
    return f"{100 * share:.1f} %"


def raw_table(head: str, body: str, kind: str = "list") -> str:
    """A table from the markup of its head's cells and of its rows."""
    head = f'<div class="wide"><table class="{kind}"><thead><tr>{head}</tr></thead>'
    return f"{head}<tbody>{body}</tbody></table></div>"


def document(title: str, under: str, body: str) -> str:
    """A whole page: its title, the markup under the heading, and that of the rest."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{escaped(title)}</h1>{under}\n{body}\n</body></html>\n"
    )


def section(heading: str, content: str) -> str:
    """Markup under a heading; nothing where there is no content."""
    return f"<section><h2>{escaped(heading)}</h2>{content}</section>" if content else ""


def cards(items: Iterable[str]) -> str:
    """Figures side by side; each item is the markup of one."""
    return f'<div class="cards">{"".join(f"""<div class="card">{c}</div>""" for c in items)}</div>'


def listing(head: Mapping[str, str], rows: Iterable[Sequence[object]], total: int = 0) -> str:
    """A table; `head` maps headings to the class of their cells. Empty where there are no rows."""
    kinds = [f' class="{kind}"' if kind else "" for kind in head.values()]
    heads = "".join(f"<th{kind}>{name}</th>" for kind, name in zip(kinds, head, strict=True))
    body = [
        "".join(f"<td{kind}>{escaped(value)}</td>" for kind, value in zip(kinds, row, strict=True))
        for row in rows
    ]
    more = f'<p class="note">and {total - len(body)} more</p>' if total > len(body) else ""
    return raw_table(heads, "".join(f"<tr>{row}</tr>" for row in body)) + more if body else ""


def classes_table(classes: Sequence[Mapping[str, Any]]) -> str:
    """Recall with its interval, precision and F1 of every genre; see `metrics.class_table`."""
    heads = ("Genre", "Songs", "Recall, with 95 % interval", "Precision", "F1")
    body = ""
    for row in classes:
        body += f"<tr><th>{escaped(row['label'])}</th><td>{row['support']}</td>"
        interval = "<small>{:.0f} to {:.0f}</small>".format(*(100 * e for e in row["recall_ci95"]))
        for name, more in (("recall", interval), ("precision", "")):
            bar = f'<td class="bar" style="--p:{row[name]:.3f}">'
            body += f"{bar}{percent(row[name])} {more}</td>"
        body += f"<td>{row['f1']:.3f}</td></tr>"
    return raw_table("".join(f"<th>{head}</th>" for head in heads), body)


def heat_map(matrix: Sequence[Sequence[int]] | None, labels: Sequence[str]) -> str:
    """A confusion matrix as a table whose cells are shaded by their share of the row."""
    if matrix is None:
        return ""
    body = ""
    for i, (label, row) in enumerate(zip(labels, matrix, strict=True)):
        body += f"<tr><th>{escaped(label)} <small>({sum(row)})</small></th>"
        for j, count in enumerate(row):
            share, kind = count / max(1, sum(row)), ' class="d"' if i == j else ""
            text = f"{count}<small>{100 * share:.0f} %</small>" if count else ""
            body += f'<td{kind} style="--p:{share:.3f}">{text}</td>'
        body += "</tr>"
    heads = "".join(f"<th>{escaped(label)}</th>" for label in labels)
    return raw_table(f"<th></th>{heads}", body, "heat")
