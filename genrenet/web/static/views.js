// The views of a served library, in the order of the navigation; a new one is added here.

import { HomeView } from "./home.js";

/** Views beside the song's: each gets the router, and `text` is what the navigation calls it. */
export const LIBRARY_VIEWS = [{ View: HomeView, text: "Library" }];
