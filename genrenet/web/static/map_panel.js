// Beside the map: the chosen song with what can be done with it, and a list of songs.

import { percent, sentence } from "./format.js";
import { listActions } from "./list_actions.js";
import { songItem } from "./song_list.js";
import { make, show } from "./dom.js";

/** What a song is called in a sentence. */
export const nameOf = ({ title, artist }) => (artist ? `${title} by ${artist}` : title);

const press = (text, act, attributes = {}) => {
  const button = make("button", { type: "button", ...attributes }, text);
  button.addEventListener("click", () => button.getAttribute("aria-disabled") !== "true" && act());
  return button;
};

/**
 * The panel. `act` has `choose(song)`, `more(song)`, `less(song)`, `forget(name, path)` (of "more"
 * and "less"), `from(song)`, `to(song)`, `length(count)` and `close()`.
 */
export class MapPanel {
  constructor(act) {
    this.act = act;
    this.song = make("section", { class: "card map-song", "aria-labelledby": "map-song-name", hidden: true });
    this.heading = make("h3", { id: "map-list-name", tabindex: -1 });
    this.close = press("Close", () => act.close(), { hidden: true });
    this.above = make("div");
    this.note = make("p", { class: "note", role: "status" });
    this.actions = make("div", { class: "links" });
    this.list = make("ol", { class: "rows", "aria-labelledby": "map-list-name" });
    const top = make("div", { class: "map-list-top" }, this.heading, this.close);
    this.part = make("section", { "aria-labelledby": "map-list-name" }, top, this.above, this.note, this.actions, this.list);
    this.element = make("div", { class: "map-side" }, this.song, this.part);
  }

  /** Show the chosen song, or none; `wanted` says whether others are asked for more of. */
  choose(song, wanted) {
    if (!song && this.song.contains(document.activeElement)) this.heading.focus();
    show(this.song, Boolean(song));
    if (!song) return;
    const { act } = this;
    const pressed = this.song.contains(document.activeElement) ? document.activeElement.textContent : null;
    const less = press("Less like this", () => act.less(song), wanted ? {} : { "aria-disabled": "true", "aria-describedby": "map-less" });
    this.song.replaceChildren(
      make("h3", { id: "map-song-name", class: "unseen", tabindex: -1 }, `Chosen: ${nameOf(song)}`),
      make("ul", { class: "map-one" }, songItem(song, { like: false })),
      make(
        "div",
        { class: "links" },
        press("More like this", () => act.more(song)),
        less,
        press("Path from here", () => act.from(song)),
        press("Path to here", () => act.to(song)),
        press("Deselect", () => act.choose(null), { class: "quiet" }),
      ),
    );
    // The same button keeps the focus.
    if (pressed) [...this.song.querySelectorAll("button")].find(({ textContent }) => textContent === pressed)?.focus();
    if (!wanted) this.song.append(make("p", { id: "map-less", class: "unseen" }, "First choose a song for “More like this”."));
  }

  /**
   * Show a list. `name` is its heading, `above` elements over it, `note` a text, `songs` its songs,
   * `tuned` offers more and less of each. What is played and kept is called `called`: the songs,
   * or those that the promise `whole` brings, where they are more.
   */
  async fill({ name, called = name, above = [], note = "", songs = [], whole = null, closing = true, tuned = false }) {
    const { activeElement } = document;
    const inside = this.part.contains(activeElement);
    this.heading.textContent = name;
    show(this.close, closing);
    this.above.replaceChildren(...above);
    this.note.textContent = note;
    this.actions.replaceChildren();
    this.list.replaceChildren(...songs.map((song) => this.item(song, songs, tuned)));
    show(this.list, songs.length > 0);
    if (inside && !this.refocus(activeElement)) this.heading.focus({ preventScroll: true });
    this.filled = songs;
    const all = whole ? await whole : songs;
    if (this.filled !== songs || !all.length) return; // another list is shown by now
    const asked = { paths: all.map(({ path }) => path) };
    this.actions.replaceChildren(...listActions(asked, called, { songs: () => all }));
  }

  /** Give the focus back to what was pressed, or to what stands for it now. */
  refocus(former) {
    const found = former.isConnected ? former : former.id && document.getElementById(former.id);
    if (found && found.checkVisibility()) found.focus({ preventScroll: true });
    return Boolean(found);
  }

  refuse(error) {
    this.note.textContent = "";
    this.filled = null;
    for (const part of [this.list, this.actions]) part.replaceChildren();
    show(this.list, false);
    this.above.querySelector(".problem")?.remove();
    this.above.append(make("p", { class: "problem", role: "alert" }, sentence(error.message)));
  }

  item(song, songs, tuned) {
    const { act } = this;
    const item = songItem(song, { songs: () => songs, like: false });
    const small = (text, label, run) => press(text, run, { class: "quiet", "aria-label": `${label} ${nameOf(song)}` });
    const buttons = [small("◎", "Choose on the map:", () => act.choose(song))];
    item.classList.toggle("tuned", tuned);
    if (tuned) {
      buttons.unshift(small("+", "More like", () => act.more(song)), small("−", "Less like", () => act.less(song)));
    }
    item.append(make("span", { class: "map-buttons" }, ...buttons));
    if (song.similarity !== undefined) item.querySelector(".names").append(make("small", {}, `${percent(song.similarity)} alike`));
    return item;
  }

  /** Lists of the songs of which more and less is wanted, with buttons that take them out. */
  wishes(more, less) {
    const part = (title, name, songs) =>
      songs.length === 0
        ? null
        : make(
            "div",
            {},
            make("p", { class: "note" }, title),
            make("ul", { class: "map-wishes", "aria-label": title }, ...songs.map((song) => {
              const out = press("✕", () => this.act.forget(name, song.path), { class: "quiet", "aria-label": `Take out ${nameOf(song)}` });
              return make("li", {}, make("span", {}, song.title, song.artist ? make("small", {}, ` ${song.artist}`) : null), out);
            })),
          );
    return [part("More like", "more", more), part("Less like", "less", less)].filter(Boolean);
  }

  /** The two ends of a path and its length; an end that is missing is asked for. */
  ends(from, to, count) {
    const end = (title, song) => make("p", {}, make("b", {}, `${title} `), song ? nameOf(song) : "choose a song on the map, or in a list");
    const field = make("input", { type: "number", id: "map-length", min: 3, max: 50, value: count });
    field.addEventListener("change", () => field.checkValidity() && this.act.length(Number(field.value)));
    return [
      end("From", from),
      end("To", to),
      make("p", { class: "map-length" }, make("label", { for: "map-length" }, "Songs in all"), field),
    ];
  }
}
