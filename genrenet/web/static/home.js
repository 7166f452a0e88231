// The library at a glance.

import { getHealth } from "./api.js";
import { many } from "./format.js";
import { make } from "./dom.js";

/** The first view of a served library. */
export class HomeView {
  name = "";

  constructor() {
    this.element = make("section", { "aria-labelledby": "home-name" }, make("h2", { id: "home-name", tabindex: -1 }, "Library"));
    this.text = make("p");
    this.element.append(this.text);
  }

  title() {
    return "Library";
  }

  async show() {
    const { library } = await getHealth();
    this.text.textContent = library.state === "reading" ? "The library is being read." : many(library.songs, "song");
  }
}
