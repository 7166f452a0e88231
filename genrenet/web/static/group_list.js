// Artists and albums as rows with how many songs they have.

import { askLibrary } from "./library_api.js";
import { length, many } from "./format.js";
import { PagedList } from "./paged_list.js";
import { albumAddress, artistAddress, chip } from "./song_list.js";
import { make } from "./dom.js";

function item(href, name, under, { songs, seconds, genre }) {
  return make(
    "li",
    { class: "group" },
    make("div", { class: "names" }, make("a", { href }, name), under ? make("small", {}, under) : null),
    genre ? chip(genre) : null,
    make("span", { class: "time" }, `${many(songs, "song")}, ${length(seconds)}`),
  );
}

/** An artist as an item of a list. */
export const artistItem = (row) => item(artistAddress(row.artist), row.artist, null, row);

/** An album as an item of a list; `within` an artist, his name is left out. */
export const albumItem = (row, within = null) =>
  item(albumAddress(row.album, row.folder), row.album, row.artist === within ? null : row.artist, row);

/** The artists of songs, those with most of them first. */
export const artistList = (query, { signal = null, page = 50 } = {}) => groupList("artists", "artist", artistItem, query, signal, page);

/** The albums of songs, those with most of them first. */
export const albumList = (query, { signal = null, page = 50, within = null } = {}) =>
  groupList("albums", "album", (row) => albumItem(row, within), query, signal, page);

function groupList(what, noun, itemOf, query, signal, page) {
  return new PagedList({
    label: what === "artists" ? "Artists" : "Albums",
    noun,
    page,
    load: async (offset, limit) => {
      const answer = await askLibrary(what, { ...query, offset, limit }, signal);
      return { rows: answer[what], total: answer.total };
    },
    item: itemOf,
  });
}
