// An album: its songs, in the order of their files.

import { askLibrary } from "./library_api.js";
import { CollectionView } from "./collection.js";
import { clock, many } from "./format.js";
import { listActions } from "./list_actions.js";
import { artistAddress, songList } from "./song_list.js";
import { make } from "./dom.js";

const VARIOUS = "Various artists"; // as the server calls it

/** `#/album/NAME?folder=`: two albums may be called the same. */
export class AlbumView extends CollectionView {
  constructor() {
    super("album");
  }

  async fill({ parts: [album], query: { folder } }, signal) {
    const asked = { album, folder, sort: "path" };
    const { albums } = await askLibrary("albums", { album, folder, limit: 1 }, signal);
    const [about] = albums;
    if (!about) {
      this.body.append("The library has no such album.");
      return;
    }
    const by = about.artist === VARIOUS ? VARIOUS : make("a", { href: artistAddress(about.artist) }, about.artist);
    this.above.append(by, ` · ${many(about.songs, "song")}, ${clock(about.seconds)}`, about.folder ? ` · ${about.folder}` : "");
    this.actions.append(...listActions(asked, album));
    const list = songList(asked, { signal, within: "album", numbered: about.artist, label: `Songs of ${album}` });
    this.body.append(list.element);
    await list.more();
  }
}
