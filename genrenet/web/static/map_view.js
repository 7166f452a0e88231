// The map of the library by sound, what is like some songs and unlike others, and paths between songs.

import { many, sentence } from "./format.js";
import { MapCanvas } from "./map_canvas.js";
import { fetchMap, findNumbers, MOST, nearSongs, songPath } from "./map_data.js";
import { MapLegend } from "./map_legend.js";
import { MapPanel, nameOf } from "./map_panel.js";
import { playSongs } from "./mini_player.js";
import { announce } from "./progress.js";
import { address } from "./router.js";
import { make, reveal, show } from "./dom.js";

const LOOK = 1500; // ms between looks at a map that is being drawn
const NEAR = 12; // songs listed around the centre
const LISTED = 50; // songs listed of a frame or a search
const SUGGESTED = 20;
const LENGTH = 12; // songs of a path

const BY = {
  embeddings: "Songs that sound similar to the model are close to each other.",
  scores: "Songs with similar genre scores are close to each other. For a map by sound, start the server with --embeddings and a file of “genrenet embed”.",
};

const LISTS = { here: "here", frame: "framedSongs", found: "found", like: "like", path: "path" };
const paths = (text) => (text ? text.split("\n") : []);
const icon = (text, label, run) => {
  const button = make("button", { type: "button", "aria-label": label, title: label }, make("span", { "aria-hidden": "true" }, text));
  button.addEventListener("click", run);
  return button;
};

/** `#/map?song=`, `?more=&less=` (several between line breaks), `?from=&to=&count=`, `?q=`. */
export class MapView {
  name = "map";

  constructor() {
    this.query = {};
    this.framed = null; // numbers of the songs in a frame
    this.chosen = null;
    this.canvas = new MapCanvas({
      onPick: (number) => this.pick(number),
      onFrame: (numbers) => this.frame(numbers),
      onStill: () => this.mode === "here" && this.refresh(),
    });
    this.legend = new MapLegend({
      onFilter: (pressed) => {
        this.canvas.filter(pressed);
        if (this.mode === "here") this.refresh();
      },
    });
    this.panel = new MapPanel({
      choose: (song) => this.choose(song),
      more: (song) => this.wish("more", "less", song),
      less: (song) => this.wish("less", "more", song),
      forget: (name, path) => this.change({ [name]: paths(this.query[name]).filter((other) => other !== path).join("\n") }),
      from: (song) => this.change({ from: song.path, more: "", less: "" }),
      to: (song) => this.change({ to: song.path, more: "", less: "" }),
      length: (count) => this.change({ count }),
      close: () => {
        this.framed = null;
        this.change({ more: "", less: "", from: "", to: "", count: "", q: "" });
        this.panel.heading.focus();
      },
    });
    document.addEventListener("corrected", () => (this.stale = true));
    this.build();
  }

  build() {
    this.about = make("p", { class: "note" });
    this.wait = make("div", { class: "card map-wait", role: "status", hidden: true });
    this.framing = make("button", { type: "button", "aria-pressed": "false" }, "Frame songs");
    this.framing.addEventListener("click", () => {
      this.canvas.framing = !this.canvas.framing;
      this.framing.setAttribute("aria-pressed", String(this.canvas.framing));
      this.canvas.element.classList.toggle("framing", this.canvas.framing);
    });
    const sight = make("button", { type: "button" }, "List all in sight");
    sight.addEventListener("click", () => this.canvas.points && this.frame(this.canvas.inSight()));
    this.words = make("input", { type: "search", id: "map-words", placeholder: "Find on the map", autocomplete: "off", autocapitalize: "none" });
    const find = make(
      "form",
      { class: "map-find", role: "search", "aria-label": "Find on the map" },
      make("label", { for: "map-words", class: "unseen" }, "Find on the map"),
      this.words,
      make("button", { type: "submit" }, "Find"),
    );
    find.addEventListener("submit", (event) => {
      event.preventDefault();
      this.framed = null;
      this.change({ q: this.words.value.trim(), more: "", less: "", from: "", to: "", count: "" });
    });
    const { canvas } = this;
    const buttons = make(
      "div",
      { class: "map-zoom" },
      icon("+", "Zoom in", () => canvas.points && canvas.moved(() => canvas.view.zoom(1.5))),
      icon("−", "Zoom out", () => canvas.points && canvas.moved(() => canvas.view.zoom(1 / 1.5))),
      icon("⤢", "Whole map", () => canvas.points && canvas.moved(() => canvas.view.whole())),
    );
    this.hint = make(
      "p",
      { id: "map-hint", class: "note" },
      "Drag to move, wheel or pinch to zoom; a click plays a song.",
      make("span", {}, " Shift and drag to select songs. Keys: arrows move, + and − zoom, 0 shows all, Enter selects the song nearest to the centre."),
    );
    const tools = make("div", { class: "map-tools" }, find, this.framing, sight);
    this.picture = make("div", { class: "map-picture" }, tools, make("div", { class: "map-place" }, canvas.element, buttons), this.legend.element, this.hint);
    this.element = make(
      "section",
      { class: "map-view", "aria-labelledby": "map-name" },
      make("h2", { id: "map-name", tabindex: -1 }, "Map"),
      this.about,
      make("div", { class: "map-halves" }, make("div", {}, this.wait, this.picture), this.panel.element),
    );
    show(this.picture, false);
  }

  title() {
    return "Map";
  }

  get mode() {
    const { from, to, more, q } = this.query;
    if (from || to) return "path";
    if (more) return "like";
    if (this.framed) return "frame";
    return q ? "found" : "here";
  }

  async show({ query }, signal) {
    this.signal = signal;
    this.query = { ...query };
    if (Object.keys(query).length) this.framed = null; // back from a song's page, a frame is kept
    this.words.value = query.q ?? "";
    if (!this.canvas.points || this.stale) this.look();
    await this.refresh();
    if (this.canvas.points) this.canvas.resize();
    if (this.mode === "here" || this.mode === "frame") return null;
    reveal(this.panel.heading); // on phones it is below the map
    return this.panel.heading;
  }

  /** Bring the map, as soon as it is drawn. */
  async look() {
    const { signal } = this;
    try {
      const found = await fetchMap(signal);
      if (signal.aborted) return;
      if (found.count === undefined) {
        this.waitFor(found);
        setTimeout(() => signal.aborted || this.look(), LOOK);
        return;
      }
      this.stale = false;
      show(this.wait, false);
      show(this.picture);
      this.canvas.take(found);
      this.legend.take(found.genres);
      const out = found.leftOut ? ` ${many(found.leftOut, "song")} without an embedding ${found.leftOut === 1 ? "is" : "are"} left out.` : "";
      this.about.textContent = `${many(found.count, "song")}. ${BY[found.by]}${out}`;
      await this.refresh();
    } catch (error) {
      if (error.name !== "AbortError") this.waitFor({ state: "failed", error });
    }
  }

  waitFor({ state, songs, seconds, error }) {
    const text = {
      reading: "The library is being read.",
      waiting: "The map is about to be computed.",
      drawing: `The map of ${many(songs ?? 0, "song")} is being computed: ${Math.round(seconds)} seconds so far. The first time takes half a minute or more; then the map is cached. Lists of songs work meanwhile.`,
      failed: error ? sentence(error.message) : "The map could not be computed; the output of the server says why. Lists of songs still work.",
    }[state];
    show(this.wait);
    if (this.wait.dataset.state !== state || state === "drawing") {
      this.wait.replaceChildren(make("p", {}, text), state === "failed" ? "" : make("progress", { "aria-label": "Drawing the map" }));
      this.wait.dataset.state = state;
    }
  }

  /** Ask for other songs; the address keeps what is asked for. */
  change(query) {
    this.query = { ...this.query, ...query };
    this.router.name(address("map", [], this.query));
    return this.refresh();
  }

  wish(name, other, song) {
    const without = (list) => paths(this.query[list]).filter((path) => path !== song.path);
    this.framed = null;
    announce(`${name === "more" ? "More" : "Less"} like ${nameOf(song)}`);
    this.change({ [name]: [...without(name), song.path].join("\n"), [other]: without(other).join("\n"), from: "", to: "", count: "" });
  }

  async pick(number) {
    if (number < 0) return this.choose(null);
    const [song] = await this.canvas.points.songs([number]).catch((error) => this.lost(error));
    if (!song) return;
    this.choose(song);
    playSongs([song]);
  }

  choose(song) {
    this.chosen = song;
    this.panel.choose(song, Boolean(this.query.more));
    this.canvas.mark({ chosen: song?.number ?? -1 });
    if (!song) return;
    this.canvas.reveal([song.number]);
    announce(`Chosen: ${nameOf(song)}, ${song.genre ?? "no genre"}`);
  }

  frame(numbers) {
    this.framed = this.canvas.view.nearestOf(this.canvas.points, numbers, numbers.length);
    this.change({ more: "", less: "", from: "", to: "", count: "", q: "" });
  }

  /** An answer whose numbers are those of the map; where they are not, the map is fetched again. */
  checked(answer) {
    const { points } = this.canvas;
    if (points && points.id !== answer.map) this.lost({ status: 409 });
    return answer;
  }

  /** The library has changed since the map was fetched, or the server is away. */
  lost(error) {
    if (error.status === 409) {
      this.canvas.points = this.framed = this.chosen = null;
      show(this.picture, false);
      this.look();
    } else if (error.name !== "AbortError") this.panel.refuse(error);
    return [];
  }

  /** Fill the list with what is asked for. */
  async refresh() {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const { mode, canvas } = this;
    this.panel.choose(this.chosen, Boolean(this.query.more));
    try {
      const marks = await this[LISTS[mode]](asking.signal);
      if (asking.signal.aborted || !canvas.points) return; // the map comes, and asks again
      canvas.mark({ hits: [], path: [], ...marks });
      if (this.query.song) await this.single(asking.signal);
    } catch (error) {
      if (!asking.signal.aborted) this.lost(error);
    }
  }

  /** Choose the song that the address names. */
  async single(signal) {
    const { more } = this.checked(await nearSongs([this.query.song], [], 1, signal));
    delete this.query.song;
    this.choose(more[0]);
  }

  async here(signal) {
    const { points, view } = this.canvas;
    if (!points) {
      this.panel.fill({ name: "Songs", note: "Songs near the centre of the map are listed here.", closing: false });
      return {};
    }
    const inSight = this.canvas.inSight();
    const songs = await points.songs(view.nearestOf(points, inSight, NEAR));
    if (signal.aborted) return {};
    this.panel.fill({ name: "Near the centre", note: `${inSight.length.toLocaleString("en")} of ${many(points.count, "song")} in sight.`, songs, closing: false });
    return {};
  }

  async framedSongs(signal) {
    return this.numbered(this.framed, "In the frame", signal);
  }

  async found(signal) {
    const { points } = this.canvas;
    if (!points) return {};
    const { numbers } = this.checked(await findNumbers(this.query.q, signal));
    if (!this.canvas.points) return {};
    const marks = await this.numbered(numbers, `Found: ${this.query.q}`, signal);
    this.canvas.reveal(numbers.slice(0, 500));
    return { ...marks, hits: numbers.slice(0, 500) };
  }

  /** List songs by their numbers. */
  async numbered(numbers, name, signal) {
    const { points } = this.canvas;
    const songs = await points.songs(numbers.slice(0, LISTED));
    if (signal.aborted) return {};
    const kept = numbers.length > MOST ? `, and ${MOST.toLocaleString("en")} can be kept` : "";
    const rest = numbers.length > songs.length ? `; ${songs.length} of them are listed${kept}` : "";
    const note = numbers.length ? `${many(numbers.length, "song")}${rest}.` : "No songs.";
    this.panel.fill({ name, note, songs, whole: points.songs(numbers.slice(0, MOST)).catch(() => songs) });
    return { hits: numbers.slice(0, 500) };
  }

  async like(signal) {
    const { more, less, songs } = this.checked(await nearSongs(paths(this.query.more), paths(this.query.less), SUGGESTED, signal));
    if (signal.aborted) return {};
    this.panel.fill({ name: "Like these", called: `Like ${more.map(nameOf).join(", ")}`.slice(0, 80), above: this.panel.wishes(more, less), songs, tuned: true });
    return { hits: songs.map(({ number }) => number) };
  }

  async path(signal) {
    const { from, to, count } = this.query;
    const length = Number(count) || LENGTH;
    if (from && to) {
      const { songs } = this.checked(await songPath(from, to, length, signal));
      if (signal.aborted) return {};
      const numbers = songs.map(({ number }) => number);
      const ends = [songs[0], songs.at(-1)];
      const called = `From ${ends[0].title} to ${ends[1].title}`.slice(0, 80);
      this.panel.fill({ name: "Path", called, above: this.panel.ends(...ends, length), songs });
      this.canvas.reveal(numbers);
      return { path: numbers };
    }
    const { more } = this.checked(await nearSongs([from || to], [], 1, signal));
    if (signal.aborted) return {};
    this.panel.fill({ name: "Path", above: this.panel.ends(from ? more[0] : null, to ? more[0] : null, length) });
    return { hits: [more[0].number] };
  }

  hide() {
    this.asking?.abort();
  }
}
