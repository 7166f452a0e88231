// Scores of all genres as a table with bars.

import { many, percent, ranked } from "./format.js";
import { make } from "./dom.js";

const MOST = 10; // rows before the others wait behind a disclosure

/**
 * Fill an element with a song's scores, the highest first; `words` are those of `wordsOf`, and `of`
 * names the model where there are several such tables.
 */
export function fillScores(place, scores, palette, words, of = null) {
  const name = `Scores of the ${words.many}${of ? ` by ${of}` : ""}`;
  const rows = ranked(scores);
  const [first, rest] = [rows.slice(0, MOST), rows.slice(MOST)];
  place.replaceChildren(table(first, palette, name, words, true));
  if (!rest.length) return;
  const others = make("details", {}, make("summary", {}, `${many(rest.length, `more ${words.one}`)}`));
  others.append(table(rest, palette, name.replace(words.many, `other ${words.many}`), words));
  place.append(others);
}

function table(rows, palette, caption, words, leads = false) {
  return make(
    "table",
    { class: "scores" },
    make("caption", { class: "unseen" }, caption),
    make(
      "thead",
      { class: "unseen" },
      make("tr", {}, ...[words.one[0].toUpperCase() + words.one.slice(1), "Bar", "Score"].map((name) => make("th", { scope: "col" }, name))),
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
