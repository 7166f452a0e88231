// Views of songs that have something in common: a heading, what can be done with them, and lists.

import { sentence } from "./format.js";
import { make } from "./dom.js";

/** A view that is filled anew for each address; subclasses have `name`, `title` and `fill`. */
export class CollectionView {
  constructor(name) {
    this.name = name;
    this.heading = make("h2", { id: `${name}-name`, tabindex: -1 });
    this.above = make("p", { class: "note" });
    this.actions = make("div", { class: "links" });
    this.body = make("div");
    this.element = make("section", { "aria-labelledby": `${name}-name` }, this.heading, this.above, this.actions, this.body);
  }

  title({ parts }) {
    return parts[0] ?? "";
  }

  async show(route, signal) {
    for (const part of [this.above, this.actions, this.body]) part.replaceChildren();
    this.heading.textContent = this.title(route);
    try {
      await this.fill(route, signal);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, sentence(error.message)));
    }
  }

  /** Add a part with a heading of its own, and bring its first page. */
  async part(name, list) {
    const heading = make("h3", {}, name);
    this.body.append(heading, list.element);
    await list.more();
    if (!list.total) {
      heading.remove();
      list.element.remove();
    }
    return list;
  }
}

/** Links among which one is chosen, such as what is shown of a genre. */
export function tabs(label, entries, current) {
  return make(
    "nav",
    { "aria-label": label, class: "tabs" },
    make("ul", {}, ...entries.map(([key, text, href]) => make("li", {}, make("a", { href, "aria-current": key === current ? "page" : null }, text)))),
  );
}
