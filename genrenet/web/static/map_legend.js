// The genres of the map with their colours and shapes: buttons that leave only some of them.

import { colourOf } from "./genre_colours.js";
import { drawShape } from "./map_raster.js";
import { make, show } from "./dom.js";

const SIZE = 15;

/** `onFilter` gets the places of the genres that are pressed; none means all. */
export class MapLegend {
  constructor({ onFilter }) {
    this.onFilter = onFilter;
    this.pressed = new Set();
    this.list = make("ul", { "aria-label": "Genres on the map" });
    this.all = make("button", { type: "button", hidden: true }, "All genres");
    this.all.addEventListener("click", () => {
      this.press(new Set());
      this.list.querySelector("button")?.focus();
    });
    this.element = make("div", { class: "map-legend" }, this.list, this.all);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  take(genres) {
    this.list.replaceChildren(
      ...genres.map(({ genre, songs }, code) => {
        const shape = make("canvas", { width: SIZE, height: SIZE, "data-genre": genre, "aria-hidden": "true" });
        const count = make("small", {}, ` ${songs.toLocaleString("en")}`);
        const button = make("button", { type: "button", "aria-pressed": "false" }, shape, make("span", {}, genre, count));
        button.addEventListener("click", () => {
          const next = new Set(this.pressed);
          if (!next.delete(code)) next.add(code);
          this.press(next);
        });
        return make("li", {}, button);
      }),
    );
    this.paint();
    this.press(new Set(), false);
  }

  press(pressed, tell = true) {
    this.pressed = pressed;
    [...this.list.querySelectorAll("button")].forEach((button, code) => button.setAttribute("aria-pressed", String(pressed.has(code))));
    show(this.all, pressed.size > 0);
    if (tell) this.onFilter(pressed);
  }

  paint() {
    for (const canvas of this.list.querySelectorAll("canvas")) {
      const pen = canvas.getContext("2d");
      pen.clearRect(0, 0, SIZE, SIZE);
      drawShape(pen, canvas.dataset.genre, colourOf(canvas.dataset.genre), SIZE);
    }
  }
}
