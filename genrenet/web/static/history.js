// Results so far: kept in the browser's tab, newest first, opened again without the server.

import { baseName, folderOf, percent } from "./format.js";
import { byId, make, show, songRow } from "./dom.js";

const KEY = "genrenet.history";
const MOST = 50;

/** The list. `onOpen` gets an entry; `onClear` hears that all are gone. */
export class History {
  constructor({ onOpen, onClear }) {
    this.onOpen = onOpen;
    this.entries = stored();
    this.files = new Map(); // uploads by entry, as long as the page lives
    this.current = null;
    byId("forget").addEventListener("click", () => {
      this.entries = [];
      this.files.clear();
      this.keep();
      onClear();
    });
    this.fill();
  }

  /** Keep a result; the same song by the same model counts once. */
  add(entry, file) {
    const same = ({ kind, name, model }) => kind === entry.kind && name === entry.name && model === entry.model;
    for (const former of this.entries.filter(same)) this.files.delete(former.id);
    this.entries = [entry, ...this.entries.filter((other) => !same(other))].slice(0, MOST);
    if (file) this.files.set(entry.id, file);
    this.mark(entry);
    this.keep();
  }

  /** The newest result of a path. */
  find(path) {
    return this.entries.find(({ kind, name }) => kind === "path" && name === path);
  }

  /** Show which entry is open. */
  mark(entry) {
    this.current = entry?.id ?? null;
    this.fill();
  }

  keep() {
    this.fill();
    // A tab may hold some megabytes: the oldest results give way.
    for (let kept = this.entries; ; kept = kept.slice(0, -1)) {
      try {
        sessionStorage.setItem(KEY, JSON.stringify(kept));
        return;
      } catch {
        if (!kept.length) return; // storage is switched off: the page still remembers
      }
    }
  }

  fill() {
    const list = byId("history").querySelector("ul");
    const focused = [...list.querySelectorAll("button")].indexOf(document.activeElement);
    list.replaceChildren(...this.entries.map((entry) => this.item(entry)));
    show(byId("history"), this.entries.length > 0);
    list.querySelectorAll("button")[focused]?.focus();
  }

  item(entry) {
    const { id, kind, name, title, artist, model, song } = entry;
    const under = [artist, kind === "file" ? "upload" : folderOf(name), model].filter(Boolean).join(" · ");
    const what = song.genre === null ? "no genre" : `${song.genre}, ${percent(song.confidence)}`;
    const button = make(
      "button",
      { type: "button", "aria-current": id === this.current ? "true" : null },
      ...songRow(title || baseName(name), under, what),
    );
    button.addEventListener("click", () => this.onOpen(entry, this.files.get(id)));
    return make("li", {}, button);
  }
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return []; // storage is switched off, or an older page wrote it
  }
}
