// Scores of all genres as a table with bars.

import { many, percent, ranked } from "./format.js";
import { make } from "./dom.js";

const MOST = 10; // rows before the others wait behind a disclosure

/** Fill an element with a song's scores, the highest first. */
export function fillScores(place, scores, palette) {
  const rows = ranked(scores);
  const [first, rest] = [rows.slice(0, MOST), rows.slice(MOST)];
  place.replaceChildren(table(first, palette, "Scores of the genres", true));
  if (!rest.length) return;
  const others = make("details", {}, make("summary", {}, `${many(rest.length, "more genre")}`));
  others.append(table(rest, palette, "Scores of the other genres"));
  place.append(others);
}

function table(rows, palette, caption, leads = false) {
  return make(
    "table",
    { class: "scores" },
    make("caption", { class: "unseen" }, caption),
    make(
      "thead",
      { class: "unseen" },
      make("tr", {}, ...["Genre", "Bar", "Score"].map((name) => make("th", { scope: "col" }, name))),
    ),
    make("tbody", {}, ...rows.map(([genre, score], i) => row(genre, score, palette, leads && i === 0))),
  );
}

function row(genre, score, palette, isFirst) {
  const bar = make("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", Math.min(1, Math.max(0, score)));
  bar.style.setProperty("--colour", `var(${palette.variable(genre)})`);
  return make(
    "tr",
    { class: isFirst ? "first" : null },
    make("th", { scope: "row" }, genre),
    make("td", {}, bar),
    make("td", {}, percent(score)),
  );
}
