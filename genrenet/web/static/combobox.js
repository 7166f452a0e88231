// Completion of a path: an editable combobox with a list, after the WAI-ARIA Authoring Practices
// ("combobox with list autocomplete"). The focus stays in the field; the list is pointed at.

import { complete } from "./api.js";
import { baseName, folderOf, many, percent } from "./format.js";
import { byId, make, say, show } from "./dom.js";

const PAUSE = 120; // ms without a key before the server is asked
const LIMIT = 20;

/** The field for a path. `onChoose` hears of a song that was picked, `onType` of every change. */
export class PathField {
  constructor({ onChoose, onType }) {
    this.input = byId("path");
    this.list = byId("options");
    this.popup = this.list.parentElement;
    this.more = this.popup.querySelector(".more");
    this.entries = [];
    this.active = -1;
    this.asking = null;
    Object.assign(this, { onChoose, onType });
    this.input.addEventListener("input", () => {
      this.onType();
      this.askSoon(PAUSE);
    });
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("click", () => this.isOpen || this.askSoon(0));
    this.input.addEventListener("blur", () => this.close());
    // A press must not take the focus from the field, or the list closes before the click.
    this.popup.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose([...this.list.children].indexOf(option));
    });
  }

  get value() {
    return this.input.value.trim();
  }

  set value(path) {
    this.input.value = path;
    this.close();
  }

  get isOpen() {
    return !this.popup.hidden;
  }

  askSoon(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), pause);
    this.asking ??= new AbortController(); // Escape takes back what is about to be asked, too
  }

  async ask() {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    try {
      const answer = await complete(this.input.value, LIMIT, asking.signal);
      this.asking = null;
      if (document.activeElement === this.input) this.fill(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.close();
      byId("count").textContent = `Cannot complete: ${error.message}`;
    }
  }

  fill({ entries, more }) {
    // A song that is already there needs no list that offers it.
    if (entries.some(({ path, kind }) => kind === "song" && path === this.value)) {
      this.close();
      say(byId("path-hint"), HINT);
      return;
    }
    this.entries = entries;
    this.list.replaceChildren(...entries.map(option));
    this.list.scrollTop = 0;
    show(this.more, more);
    this.point(-1);
    show(this.popup, entries.length > 0);
    this.input.setAttribute("aria-expanded", String(entries.length > 0));
    const none = this.value ? "Nothing in the folder matches." : "The folder contains no songs.";
    const found = more ? `More than ${entries.length} matches` : many(entries.length, "match", "matches");
    byId("count").textContent = entries.length ? found : none;
    say(byId("path-hint"), entries.length ? HINT : none);
  }

  close() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = null;
    show(this.popup, false);
    this.input.setAttribute("aria-expanded", "false");
    this.point(-1);
  }

  point(index) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.list.children[index];
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", option.id);
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  choose(index) {
    const { path, kind } = this.entries[index];
    this.input.value = path;
    this.onType();
    if (kind === "folder") {
      this.ask(); // its content comes next
    } else {
      this.close();
      this.onChoose(path);
    }
  }

  press(event) {
    const count = this.entries.length;
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      // One place among the options is the field itself: index -1.
      if (!this.isOpen) this.askSoon(0);
      else if (!event.altKey) this.point(((this.active + 1 + step + count + 1) % (count + 1)) - 1);
      else this.close();
    } else if (event.key === "Enter" && this.isOpen && this.active >= 0) {
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (this.isOpen || this.asking) this.close();
      else if (this.input.value) {
        this.input.value = "";
        this.onType();
      }
    } else if (event.key === "Enter" || event.key === "Tab") {
      this.close();
    }
  }
}

const HINT = byId("path-hint").textContent;

function option({ path, kind, genre, confidence }, index) {
  const isFolder = kind === "folder";
  const folder = isFolder ? "" : folderOf(path);
  return make(
    "li",
    { id: `option-${index}`, role: "option", "aria-selected": "false" },
    make(
      "span",
      {},
      isFolder ? make("span", { "aria-hidden": "true" }, "▸ ") : null,
      isFolder ? path : baseName(path),
      folder ? make("span", { class: "note" }, ` in ${folder}`) : null,
    ),
    genre ? make("span", { class: "note" }, `${genre} ${percent(confidence)}`) : null,
  );
}
