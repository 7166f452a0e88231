// What a search found: artists, albums and songs.

import { askLibrary } from "./library_api.js";
import { CollectionView } from "./collection.js";
import { many } from "./format.js";
import { listActions } from "./list_actions.js";
import { PagedList } from "./paged_list.js";
import { announce } from "./progress.js";
import { albumAddress, artistAddress, songItem } from "./song_list.js";
import { byId, make } from "./dom.js";

/** `#/search?q=`. */
export class SearchView extends CollectionView {
  constructor() {
    super("search");
  }

  title({ query: { q } }) {
    return q ? `Search: ${q}` : "Search";
  }

  async fill({ query: { q = "" } }, signal) {
    byId("search-words").value = q;
    if (!q) {
      this.above.textContent = "Enter the name of an artist, an album or a song above; typing errors are tolerated.";
      return;
    }
    const first = await askLibrary("search", { q, limit: 50 }, signal);
    const { artists, albums, total, typos } = first;
    announce(`${many(total, "song")} found`);
    this.above.textContent = said(total, artists.length + albums.length, typos);
    if (total) this.actions.append(...listActions({ q }, q));
    this.links("Artists", artists.map((artist) => [artistAddress(artist), artist, null]));
    this.links("Albums", albums.map(({ album, folder, artist }) => [albumAddress(album, folder), album, artist]));
    if (!total) return;
    const list = new PagedList({
      label: "Songs",
      load: async (offset, limit) => {
        const { songs } = offset ? await askLibrary("search", { q, offset, limit }, signal) : first;
        return { rows: songs, total };
      },
      item: (song) => songItem(song, { songs: () => list.rows }),
    });
    await this.part("Songs", list);
  }

  links(name, rows) {
    if (!rows.length) return;
    const items = rows.map(([href, text, under]) => make("li", {}, make("a", { class: "button", href }, text, under ? make("small", {}, ` ${under}`) : null)));
    this.body.append(make("h3", {}, name), make("ul", { class: "links", "aria-label": name }, ...items));
  }
}

function said(songs, others, typos) {
  if (!songs && !others) return "Nothing similar was found.";
  return typos ? "No exact match; these are similar." : "";
}
