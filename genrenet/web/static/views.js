// The views of a served library; a new one is added here. Those with a `text` stand in the navigation.

import { AlbumView } from "./album_view.js";
import { ArtistView } from "./artist_view.js";
import { DuplicatesView } from "./duplicates_view.js";
import { GenreView } from "./genre_view.js";
import { HomeView } from "./home.js";
import { AlbumsView, ArtistsView, SongsView } from "./lists_view.js";
import { MapView } from "./map_view.js";
import { SearchView } from "./search_view.js";

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
  { View: MapView, text: "Map" },
];
