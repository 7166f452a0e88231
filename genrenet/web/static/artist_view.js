// An artist: albums and songs.

import { CollectionView } from "./collection.js";
import { albumList } from "./group_list.js";
import { listActions } from "./list_actions.js";
import { songList } from "./song_list.js";

/** `#/artist/NAME`. */
export class ArtistView extends CollectionView {
  constructor() {
    super("artist");
  }

  async fill({ parts: [artist] }, signal) {
    this.actions.append(...listActions({ artist }, artist));
    await this.part("Albums", albumList({ artist }, { signal, page: 12, within: artist }));
    const songs = await this.part("Songs", songList({ artist }, { signal, within: "artist" }));
    if (!songs.total) this.body.append("No song of the library is by this artist.");
  }
}
