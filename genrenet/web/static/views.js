// The views of a served library; a new one is added here. Those with a `text` stand in the navigation.

import { AlbumView } from "./album_view.js";
import { ArtistView } from "./artist_view.js";
import { DuplicatesView } from "./duplicates_view.js";
import { GenreView } from "./genre_view.js";
import { HomeView } from "./home.js";
import { LazyView } from "./lazy_view.js";
import { AlbumsView, ArtistsView, SongsView } from "./lists_view.js";
import { SearchView } from "./search_view.js";

class LazyMap extends LazyView {
  constructor() {
    super("map", "Map", async () => new (await import("./map_view.js")).MapView());
  }
}

export const LIBRARY_VIEWS = [
  { View: HomeView, text: "Library" },
  { View: GenreView },
  { View: ArtistView },
  { View: AlbumView },
  { View: SongsView },
  { View: ArtistsView },
  { View: AlbumsView },
  { View: DuplicatesView },
  { View: SearchView },
  { View: LazyMap, text: "Map" },
];
