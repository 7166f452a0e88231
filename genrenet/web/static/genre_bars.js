// Genres as bars, which open to their subgenres, artists and albums.

import { artistList } from "./group_list.js";
import { length, many, percent } from "./format.js";
import { swatch, variableOf } from "./genre_colours.js";
import { genreAddress } from "./song_list.js";
import { make, show } from "./dom.js";

const FIRST = 8; // artists of an opened genre

function bar(genre, share) {
  const element = make("span", { class: "bar", "aria-hidden": "true" });
  element.style.setProperty("--share", share);
  element.style.setProperty("--colour", `var(${variableOf(genre)})`);
  return element;
}

/** A list of genres as the overview has them; bars are as long as their share of the largest. */
export function genreBars(genres, total) {
  const most = Math.max(1, ...genres.map(({ songs }) => songs));
  return make("ul", { class: "genre-bars", "aria-label": "Genres" }, ...genres.map((row) => item(row, most, total)));
}

function item({ genre, songs, hours, unsure, subgenres }, most, total) {
  const panel = make("div", { class: "opened", hidden: true });
  const button = make(
    "button",
    { type: "button", class: "genre-bar", "aria-expanded": "false" },
    make("span", { class: "name" }, swatch(genre), make("span", {}, genre)),
    make("span", { class: "track-of-bar" }, bar(genre, songs / most)),
    make("span", { class: "figures" }, `${many(songs, "song")} `, make("small", {}, percent(songs / Math.max(1, total)))),
  );
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "false";
    button.setAttribute("aria-expanded", String(open));
    show(panel, open);
    if (open && !panel.childNodes.length) fill(panel, { genre, songs, hours, unsure, subgenres });
  });
  return make("li", {}, button, panel);
}

function fill(panel, { genre, songs, hours, unsure, subgenres }) {
  const link = (text, query) => make("li", {}, make("a", { class: "button", href: genreAddress(genre, query) }, text));
  const unsureLink = unsure ? link(`${many(unsure, "unsure song")}`, { state: "unsure", sort: "confidence" }) : null;
  panel.append(
    make("p", { class: "note" }, `${length(3600 * hours)} of ${genre}`),
    make("ul", { class: "links" }, link(`All ${many(songs, "song")}`, {}), link("Artists", { show: "artists" }), link("Albums", { show: "albums" }), ...[unsureLink].filter(Boolean)),
  );
  if (subgenres.length) panel.append(make("h4", {}, "Subgenres"), subgenreBars(genre, subgenres));
  const artists = artistList({ genre }, { page: FIRST });
  panel.append(make("h4", {}, "Artists with most of it"), artists.element);
  artists.more().catch((error) => panel.append(make("p", { class: "problem" }, error.message)));
}

/** Subgenres of a genre, as links; a song may have several. */
export function subgenreBars(genre, subgenres) {
  const most = Math.max(1, ...subgenres.map(({ songs }) => songs));
  return make(
    "ul",
    { class: "genre-bars sub", "aria-label": `Subgenres of ${genre}` },
    ...subgenres.map(({ genre: name, songs }) =>
      make(
        "li",
        {},
        make(
          "a",
          { class: "genre-bar", href: genreAddress(genre, { subgenre: name }) },
          make("span", { class: "name" }, swatch(name), make("span", {}, name)),
          make("span", { class: "track-of-bar" }, bar(name, songs / most)),
          make("span", { class: "figures" }, many(songs, "song")),
        ),
      ),
    ),
  );
}
