// All songs of a state, all artists, all albums.

import { CollectionView, tabs } from "./collection.js";
import { albumList, artistList } from "./group_list.js";
import { listActions } from "./list_actions.js";
import { address } from "./router.js";
import { songList } from "./song_list.js";

const STATES = {
  unsure: ["Unsure songs", "No genre of these songs is likely enough. Open a song to set the right genre."],
  "not-music": ["Not music", "What the model recognises as something other than music."],
  error: ["Not read", "Files that could not be read; their pages say why."],
  corrected: ["Corrected songs", "Songs whose genre was corrected."],
  sure: ["Sure songs", ""],
};
const SORTS = { artist: "Artist", title: "Title", confidence: "Least sure", duration: "Longest", path: "Folder" };

/** `#/songs?state=&sort=`. */
export class SongsView extends CollectionView {
  constructor() {
    super("songs");
  }

  title({ query: { state } }) {
    return STATES[state]?.[0] ?? "All songs";
  }

  async fill({ query }, signal) {
    const { state, sort = "artist" } = query;
    this.above.textContent = STATES[state]?.[1] ?? "";
    if (state !== "error") this.actions.append(...listActions({ state, sort }, this.heading.textContent));
    const orders = Object.entries(SORTS).map(([key, text]) => [key, text, address("songs", [], { ...query, sort: key })]);
    this.body.append(tabs("Order", orders, sort));
    const list = songList({ state, sort }, { signal });
    this.body.append(list.element);
    await list.more();
  }
}

/** `#/artists` or `#/albums`. */
export class GroupsView extends CollectionView {
  constructor(name, listOf) {
    super(name);
    this.listOf = listOf;
  }

  title() {
    return this.name[0].toUpperCase() + this.name.slice(1);
  }

  async fill(route, signal) {
    this.above.textContent = "Most songs first.";
    const list = this.listOf({}, { signal });
    this.body.append(list.element);
    await list.more();
  }
}

export class ArtistsView extends GroupsView {
  constructor() {
    super("artists", artistList);
  }
}

export class AlbumsView extends GroupsView {
  constructor() {
    super("albums", albumList);
  }
}
