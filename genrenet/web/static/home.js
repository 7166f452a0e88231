// The library at a glance: how much there is, what needs a look, and genres as bars.

import { askLibrary } from "./library_api.js";
import { getHealth } from "./api.js";
import { many, sentence } from "./format.js";
import { genreBars } from "./genre_bars.js";
import { address } from "./router.js";
import { ScanPanel } from "./scan_panel.js";
import { make } from "./dom.js";

const PAUSE = 1000; // ms between looks at a table that is being read
const LOOKS = 60;

/** The first view of a served library. */
export class HomeView {
  name = "";

  constructor() {
    this.body = make("div");
    this.scan = new ScanPanel({ onDone: () => this.refresh().catch(() => {}) });
    this.element = make("section", { "aria-labelledby": "home-name" }, make("h2", { id: "home-name", tabindex: -1 }, "Library"), this.body, this.scan.element);
  }

  title() {
    return "Library";
  }

  async show(route, signal) {
    this.signal = signal;
    try {
      const overview = await askLibrary("overview", {}, signal);
      this.fill(overview);
      this.scan.look(overview.errors, signal).catch(() => {}); // what is shown is whole without it
    } catch (error) {
      if (error.name === "AbortError") return;
      const state = await getHealth().catch(() => null);
      if (state?.library.index !== "reading") {
        this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, sentence(error.message)));
        return;
      }
      this.body.replaceChildren(make("p", { role: "status" }, "The library's table is being read."));
      setTimeout(() => signal.aborted || this.show(route, signal), PAUSE);
    }
  }

  /** Show what a scan has changed, as soon as the server has read it. */
  async refresh() {
    const { version } = this;
    for (let look = 0; look < LOOKS && !this.signal.aborted && this.version === version; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      const overview = await askLibrary("overview", {}, this.signal);
      if (overview.version !== version) this.fill(overview);
    }
  }

  fill(overview) {
    this.version = overview.version;
    this.body.replaceChildren(facts(overview));
    if (overview.untagged) this.body.append(make("p", { class: "note" }, untagged(overview)));
    const heading = make("h3", {}, overview.kind === "tags" ? "Tags" : "Genres");
    if (overview.genres.length) this.body.append(heading, genreBars(overview.genres, overview.songs));
    else this.body.append(make("p", {}, "No song of the table has a genre yet."));
  }
}

const untagged = ({ untagged: count }) =>
  `${many(count, "file")} without artist or title among ${count === 1 ? "its" : "their"} tags: ${count === 1 ? "it is" : "they are"} shown with the ${count === 1 ? "name" : "names"} of ${count === 1 ? "its" : "their"} folder and file.`;

/** Figures, each a link to what it counts. */
function facts({ songs, hours, artists, albums, unsure, not_music: notMusic, errors, copies, corrected }) {
  const state = (name, sort) => address("songs", [], { state: name, sort });
  const rows = [
    [songs, "songs", address("songs")],
    hours < 2 ? [Math.round(60 * hours), "minutes", null] : [Math.round(hours), "hours", null],
    [artists, "artists", address("artists")],
    [albums, "albums", address("albums")],
    [unsure, "unsure", state("unsure", "confidence")],
    [notMusic, "not music", state("not-music")],
    [errors, "not read", state("error")],
    [corrected, "corrected", state("corrected")],
    [copies, copies === 1 ? "copy" : "copies", address("duplicates")],
  ];
  const shown = rows.filter(([count], i) => count || i < 5);
  return make(
    "ul",
    { class: "facts", "aria-label": "The library in figures" },
    ...shown.map(([count, what, href]) => {
      const text = [make("b", {}, count.toLocaleString("en")), " ", what];
      return make("li", {}, href && count ? make("a", { href }, ...text) : make("span", {}, ...text));
    }),
  );
}
