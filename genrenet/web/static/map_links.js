// Ways from a song to what is like it.

import { address } from "./router.js";
import { make } from "./dom.js";

/** Songs like a song, beside the map. */
export const likeAddress = ({ path }) => address("map", [], { more: path });

/** A small link of a row that leads to songs like it; `name` is what the song is called. */
export const likeLink = (song, name) =>
  make("a", { class: "button like", href: likeAddress(song), "aria-label": `More like ${name}`, title: "More like this" }, make("span", { "aria-hidden": "true" }, "≈"));

/** Links for the page of a song. */
export const soundLinks = ({ path }) => [
  make("a", { class: "button", href: likeAddress({ path }) }, "More like this"),
  make("a", { class: "button", href: address("map", [], { from: path }) }, "Path from here"),
  make("a", { class: "button", href: address("map", [], { song: path }) }, "On the map"),
];
