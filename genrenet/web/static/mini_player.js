// Plays songs of any list in place: a bar at the foot of the page, which stays while views change.

import { audioAddress } from "./api.js";
import { clock } from "./format.js";
import { announce } from "./progress.js";
import { byId, make, say, show } from "./dom.js";

const audio = new Audio();
let queue = [];
let place = -1;
let listening = false;

/** Play songs (each with `path`, `title` and `artist`) one after the other, beginning with one. */
export function playSongs(songs, first = songs[0]) {
  queue = [...songs];
  start(Math.max(0, queue.findIndex(({ path }) => path === first.path)));
}

/** Be silent: another player has begun. */
export const silence = () => audio.pause();

/** The path of the song that is in the bar, null for none. */
export const playing = () => queue[place]?.path ?? null;

function start(next) {
  listen();
  place = next;
  const song = queue[place];
  say(byId("bar-note"), "");
  show(byId("bar"));
  document.body.classList.add("with-bar");
  byId("bar-title").replaceChildren(make("a", { href: `#/song?path=${encodeURIComponent(song.path)}` }, song.title));
  byId("bar-artist").textContent = song.artist ?? "";
  audio.src = audioAddress(song.path);
  audio.play().catch(() => {}); // the error event tells
  announce(`Playing ${song.title}${song.artist ? ` by ${song.artist}` : ""}`);
  for (const [id, there] of [["bar-back", place > 0], ["bar-next", place < queue.length - 1]]) {
    byId(id).setAttribute("aria-disabled", String(!there));
  }
  for (const row of document.querySelectorAll(".track[data-path]")) mark(row);
  draw();
}

/** Point out the row of the song that is in the bar. */
export function mark(row) {
  if (row.dataset.path === playing()) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
}

function listen() {
  if (listening) return;
  listening = true;
  byId("bar-play").addEventListener("click", () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
  byId("bar-next").addEventListener("click", () => place < queue.length - 1 && start(place + 1));
  byId("bar-back").addEventListener("click", () => place > 0 && start(place - 1));
  byId("bar-close").addEventListener("click", () => {
    audio.pause();
    show(byId("bar"), false);
    document.body.classList.remove("with-bar");
    place = -1;
    for (const row of document.querySelectorAll(".track[aria-current]")) mark(row);
    byId("main").focus();
  });
  byId("bar-seek").addEventListener("input", ({ target }) => {
    audio.currentTime = target.value;
  });
  for (const name of ["play", "pause", "timeupdate", "loadedmetadata"]) audio.addEventListener(name, draw);
  audio.addEventListener("play", () => byId("audio").pause()); // the song view's own
  audio.addEventListener("ended", () => (place < queue.length - 1 ? start(place + 1) : draw()));
  audio.addEventListener("error", () => say(byId("bar-note"), "The file cannot be played: it was deleted or moved, or this browser does not support its format."));
  byId("audio").addEventListener("play", silence);
}

function draw() {
  const on = !audio.paused && !audio.ended;
  byId("bar-play").classList.toggle("playing", on);
  byId("bar-play").setAttribute("aria-label", on ? "Pause" : "Play");
  const length = Number.isFinite(audio.duration) ? audio.duration : 0;
  const seek = byId("bar-seek");
  seek.max = String(Math.max(1, Math.round(length)));
  seek.value = String(Math.round(audio.currentTime));
  const time = `${clock(audio.currentTime)} / ${clock(length)}`;
  seek.setAttribute("aria-valuetext", time);
  byId("bar-clock").textContent = time;
}
