// A genre, or one of its subgenres: its songs, artists and albums.

import { askLibrary } from "./library_api.js";
import { CollectionView, tabs } from "./collection.js";
import { length, many } from "./format.js";
import { subgenreBars } from "./genre_bars.js";
import { swatch } from "./genre_colours.js";
import { albumList, artistList } from "./group_list.js";
import { listActions } from "./list_actions.js";
import { genreAddress, songList } from "./song_list.js";
import { make } from "./dom.js";

/** `#/genre/NAME?subgenre=&show=artists|albums&state=&sort=`. */
export class GenreView extends CollectionView {
  constructor() {
    super("genre");
  }

  title({ parts: [genre], query: { subgenre, state } }) {
    return [subgenre ?? genre, state].filter(Boolean).join(", ");
  }

  async fill({ parts: [genre], query }, signal) {
    const { subgenre, state, sort, show = "songs" } = query;
    this.heading.prepend(swatch(subgenre ?? genre), " ");
    const overview = await askLibrary("overview", {}, signal);
    const row = overview.genres.find((each) => each.genre === genre);
    const asked = { genre, subgenre, state, sort };
    this.above.append(...about(genre, subgenre, row, overview.kind === "tags" ? "tag" : "genre"));
    this.body.append(
      tabs(
        `Lists of ${genre}`,
        ["songs", "artists", "albums"].map((name) => [name, name[0].toUpperCase() + name.slice(1), genreAddress(genre, { ...query, show: name })]),
        show,
      ),
    );
    if (show === "songs") {
      this.actions.append(...listActions(asked, this.title({ parts: [genre], query })));
      if (row?.subgenres.length && !subgenre && !state) {
        this.body.append(make("details", {}, make("summary", {}, many(row.subgenres.length, "subgenre")), subgenreBars(genre, row.subgenres)));
      }
    }
    const make_ = { songs: songList, artists: artistList, albums: albumList }[show] ?? songList;
    const list = make_(asked, { signal });
    this.body.append(list.element);
    await list.more();
  }
}

function about(genre, subgenre, row, one) {
  if (subgenre) return ["Songs with this subgenre, among ", make("a", { href: genreAddress(genre) }, genre), "."];
  if (!row) return [`No song of the library has it as its first ${one}.`];
  return [`${many(row.songs, "song")}, ${length(3600 * row.hours)}; ${row.unsure.toLocaleString("en")} unsure. By the first ${one} of each song.`];
}
