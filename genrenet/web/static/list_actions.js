// What can be done with any list of songs: play it, and keep it as a playlist.

import { getHealth, postJson } from "./api.js";
import { askLibrary } from "./library_api.js";
import { many, sentence } from "./format.js";
import { playSongs } from "./mini_player.js";
import { make, show } from "./dom.js";

const MOST = 500; // songs of a queue

/**
 * Elements for a list of songs: a button that plays it, and one that keeps it as a playlist.
 *
 * `asked` says which songs: a query of the API, or `{ paths: [...] }`; `name` is what the list is
 * called. `songs()` gives the songs themselves where the page has them.
 */
export function listActions(asked, name, { songs = null } = {}) {
  const play = make("button", { type: "button" }, "Play all");
  play.addEventListener("click", async () => {
    const found = songs ? songs() : (await askLibrary("songs", { ...asked, limit: MOST })).songs;
    if (found.length) playSongs(found);
  });
  return [play, ...keeper(asked, name)];
}

/** A button, and the form that it opens. */
function keeper(asked, name) {
  const button = make("button", { type: "button", "aria-expanded": "false" }, "Save as playlist");
  const input = make("input", { type: "text", maxlength: 100, autocomplete: "off", value: name });
  const download = make("button", { type: "submit" }, "Download");
  const keep = make("button", { type: "button", hidden: true }, "Save in the music folder");
  const said = make("p", { role: "status" });
  const hint = make("p", { class: "note" }, "An M3U8 file with paths relative to the music folder: save it there.");
  const form = make("form", { class: "card keeper", hidden: true }, make("label", {}, make("span", {}, "Name of the playlist"), input), download, keep, hint, said);
  button.addEventListener("click", async () => {
    const open = form.hidden;
    show(form, open);
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    input.focus();
    show(keep, (await getHealth()).library.saves_playlists);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(form, false);
    button.setAttribute("aria-expanded", "false");
    button.focus();
  });
  const send = async (save) => {
    said.textContent = "";
    try {
      const answer = await postJson("api/library/playlist", { ...given(asked), name: input.value, save });
      if (save) said.textContent = `${many(answer.songs, "song")} in ${answer.saved}.`;
      else fetchFile(answer, `${input.value}.m3u8`);
    } catch (error) {
      said.textContent = sentence(error.message);
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
  });
  keep.addEventListener("click", () => send(true));
  return [button, form];
}

const given = (asked) => Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null && value !== undefined));

/** Let the browser keep a text as a file. */
function fetchFile(text, name) {
  const href = URL.createObjectURL(new Blob([text], { type: "audio/x-mpegurl" }));
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
