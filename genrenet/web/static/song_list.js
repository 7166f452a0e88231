// Songs of the library as rows: played in place, their names lead to their page.

import { askLibrary } from "./library_api.js";
import { clock, many, percent } from "./format.js";
import { swatch } from "./genre_colours.js";
import { likeLink } from "./map_links.js";
import { mark, playSongs } from "./mini_player.js";
import { PagedList } from "./paged_list.js";
import { address } from "./router.js";
import { make } from "./dom.js";

/** The addresses of what a song belongs to. */
export const songAddress = ({ path }) => address("song", [], { path });
export const artistAddress = (artist) => address("artist", [artist]);
export const albumAddress = (album, folder) => address("album", [album], { folder });
export const genreAddress = (genre, query = {}) => address("genre", [genre], query);

/** A genre with its colour and pattern. */
export function chip(genre, what = null) {
  return make("span", { class: "chip" }, swatch(genre), make("span", {}, genre, what ? make("small", {}, ` ${what}`) : null));
}

const STATES = { unsure: "unsure", "not-music": "not music", error: "not read" };

/** What is said of a song's genre. */
function verdict({ genre, confidence, state, correction, copies }) {
  const notes = [];
  if (correction) notes.push("corrected");
  else if (STATES[state] && genre) notes.push(STATES[state]);
  if (copies) notes.push(many(copies, "more file"));
  const sure = genre && !correction ? percent(confidence) : null;
  const what = genre ? chip(genre, sure) : make("span", { class: "chip" }, STATES[state] ?? "no genre");
  return make("span", { class: "verdicts" }, what, ...notes.map((note) => make("span", { class: "badge" }, note)));
}

/**
 * A song as an item of a list. `songs()` gives the whole list, which is played on from it; what a
 * list is about (`within`: "artist" or "album") is not said in each row. `like` leads to songs like it.
 */
export function songItem(song, { songs = () => [song], within = null, numbered = null, like = true } = {}) {
  const { title, artist, album, album_folder: folder, duration } = song;
  const name = artist ? `${title} by ${artist}` : title;
  const play = make("button", { type: "button", class: "play small", "aria-label": `Play ${name}` }, make("span", { "aria-hidden": "true" }));
  play.addEventListener("click", () => playSongs(songs(), song));
  const under = make("small");
  if (artist && within !== "artist" && within !== "album") under.append(make("a", { href: artistAddress(artist) }, artist));
  if (artist && within === "album" && numbered !== artist) under.append(make("a", { href: artistAddress(artist) }, artist));
  if (album && within !== "album") under.append(under.childNodes.length ? " · " : "", make("a", { href: albumAddress(album, folder) }, album));
  const row = make(
    "li",
    { class: "track", "data-path": song.path },
    play,
    make("div", { class: "names" }, make("a", { href: songAddress(song) }, title), under.childNodes.length ? under : null),
    verdict(song),
    make("span", { class: "time" }, duration ? clock(duration) : ""),
    like && song.genre ? likeLink(song, name) : null,
  );
  mark(row);
  return row;
}

/** A list of the songs that a query asks for, a page at a time. */
export function songList(query, { label = "Songs", signal = null, ...options } = {}) {
  const list = new PagedList({
    label,
    load: async (offset, limit) => {
      const { songs, total } = await askLibrary("songs", { ...query, offset, limit }, signal);
      return { rows: songs, total };
    },
    item: (song) => songItem(song, { songs: () => list.rows, ...options }),
  });
  return list;
}
