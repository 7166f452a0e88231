// What the library says of a song besides its genre: artist, album, tags of the file, other files.

import { many } from "./format.js";
import { fileList, MEANING } from "./duplicates_view.js";
import { soundLinks } from "./map_links.js";
import { albumAddress, artistAddress } from "./song_list.js";
import { byId, make, show } from "./dom.js";

/** Fill the part of the song view; null where the library does not know the song. */
export function fillFacts(song) {
  show(byId("song-facts"), song !== null);
  if (!song) return;
  const { artist, album, album_folder: folder, tags, tags_fault: fault, files } = song;
  const links = [
    artist && make("a", { class: "button", href: artistAddress(artist) }, artist),
    album && make("a", { class: "button", href: albumAddress(album, folder) }, album),
    ...(song.genre ? soundLinks(song) : []),
  ].filter(Boolean);
  const named = Object.entries(tags).filter(([, value]) => value);
  const rows = named.map(([key, value]) => [make("dt", {}, key[0].toUpperCase() + key.slice(1)), make("dd", {}, value)]).flat();
  byId("song-facts").replaceChildren(
    ...(links.length ? [make("h3", {}, "In the library"), make("div", { class: "links" }, ...links)] : []),
    make("h3", {}, "Tags of the file"),
    rows.length ? make("dl", { class: "tags" }, ...rows) : make("p", { class: "note" }, fault || "The file has no artist, album, title or genre among its tags."),
  );
  if (!files.length) return;
  byId("song-facts").append(
    make("h3", {}, `${many(files.length, "file")} of this recording`),
    fileList(files),
    make("p", { class: "note" }, MEANING),
  );
}
