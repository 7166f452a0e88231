// What can be done with any list of songs: play it, keep it as a playlist.

import { askLibrary } from "./library_api.js";
import { playSongs } from "./mini_player.js";
import { make } from "./dom.js";

const MOST = 500; // songs of a queue

/** Buttons for the songs that a query asks for; `name` is what the list is called. */
export function listActions(query, name) {
  const play = make("button", { type: "button" }, "Play all");
  play.addEventListener("click", async () => {
    const { songs } = await askLibrary("songs", { ...query, limit: MOST });
    if (songs.length) playSongs(songs);
  });
  return [play];
}
