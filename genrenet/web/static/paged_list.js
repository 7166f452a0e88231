// A list that comes page by page: "Show more" brings the next rows, and the focus goes to the
// first. Arrow keys go from row to row.

import { many } from "./format.js";
import { announce } from "./progress.js";
import { make, show } from "./dom.js";

const PAGE = 50;

/** Let the arrow keys go from a link or button of a row to the same one of its neighbour. */
function walk(event) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const row = event.target.closest("li");
  if (!step || !row || event.altKey || event.ctrlKey || event.metaKey) return;
  const stops = (item) => [...item.querySelectorAll("a, button")];
  const other = row[step] && stops(row[step]);
  if (!other?.length) return;
  event.preventDefault();
  other[Math.min(stops(row).indexOf(event.target), other.length - 1)].focus();
}

/**
 * A list with a button under it.
 *
 * `load(offset, limit)` gives a promise of `{ rows, total }`, and `item(row, place)` makes the
 * content of one. `noun` names what is counted; `label` names the list.
 */
export class PagedList {
  constructor({ load, item, label, noun = "song", page = PAGE, ordered = false }) {
    Object.assign(this, { load, item, noun, page });
    this.rows = [];
    this.total = 0;
    this.list = make(ordered ? "ol" : "ul", { class: "rows", "aria-label": label });
    this.button = make("button", { type: "button" });
    this.count = make("p", { class: "note" });
    this.element = make("div", { class: "paged" }, this.list, this.count, this.button);
    this.button.addEventListener("click", () => this.more(true));
    this.list.addEventListener("keydown", walk);
    show(this.button, false);
  }

  /** Bring the next page; `focus` its first row. */
  async more(focus = false) {
    const before = this.rows.length;
    const { rows, total } = await this.load(before, this.page);
    this.rows.push(...rows);
    this.total = total;
    this.list.append(...rows.map((row, i) => this.item(row, before + i)));
    const left = total - this.rows.length;
    show(this.button, left > 0);
    this.button.textContent = `Show ${Math.min(left, this.page).toLocaleString("en")} more`;
    const shown = left > 0 ? `${this.rows.length.toLocaleString("en")} of ` : "";
    this.count.textContent = `${shown}${many(total, this.noun)}`;
    show(this.list, this.rows.length > 0);
    if (!focus) return;
    announce(`${many(rows.length, "row")} more`);
    this.list.children[before]?.querySelector("a, button")?.focus();
  }
}
