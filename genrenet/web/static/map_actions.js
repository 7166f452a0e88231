// What can be done with a list of songs that no query names.

import { playSongs } from "./mini_player.js";
import { make } from "./dom.js";

/** Buttons for songs; `all()` gives them, and `name` is what the list is called. */
export function songActions(all, name) {
  const play = make("button", { type: "button" }, "Play all");
  play.addEventListener("click", async () => playSongs(await all()));
  return [play];
}
