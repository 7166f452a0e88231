// What is said of a song in a line: how sure it is, what else is likely, whether it is mixed.

import { percent, ranked } from "./format.js";

const HALF = 0.5;

/** How sure the first genre is, and what else is likely. */
export function verdict({ genre, confidence, genres, subgenres, unsure }, words) {
  const sure = `${unsure ? "unsure: " : ""}${percent(confidence)} ${words.sure}`;
  const others = ranked({ ...genres, ...subgenres }).filter(([label]) => label !== genre);
  const also = others.map(([label, score]) => `${label} ${percent(score)}`).join(", ");
  return also ? `${sure} · also ${also}` : sure;
}

/** Each genre's share of a timeline's seconds, the longest first. */
export function sharesOf(sections) {
  const seconds = new Map();
  for (const { genre, start, end } of sections) seconds.set(genre, (seconds.get(genre) ?? 0) + end - start);
  const total = [...seconds.values()].reduce((sum, part) => sum + part, 0) || 1;
  return [...seconds].map(([genre, part]) => [genre, part / total]).sort((a, b) => b[1] - a[1]);
}

/** Why a song is called mixed: no genre leads for half of what was listened to. Empty if one does. */
export function mixture(sections, words) {
  const shares = sharesOf(sections);
  if (words.one !== "genre" || !shares.length || shares[0][1] >= HALF) return "";
  const parts = shares.slice(0, 3).map(([genre, share]) => `${genre} ${percent(share)}`);
  return `Mixed: no genre leads for half of the time (${parts.join(", ")}).`;
}
