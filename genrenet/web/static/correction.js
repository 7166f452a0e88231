// "Wrong?": the right genre of a song of the library, noted on the server.

import { correct } from "./api.js";
import { sentence } from "./format.js";
import { byId, make, show } from "./dom.js";

/** The button and its form. `onCorrect` hears that an entry has another correction. */
export class Correction {
  constructor({ onCorrect }) {
    this.onCorrect = onCorrect;
    byId("wrong").addEventListener("click", () => {
      this.open(byId("correction").hidden);
      if (!byId("correction").hidden) byId("right-genre").focus();
    });
    byId("correction").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    byId("correction").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.open(false);
      byId("wrong").focus();
    });
  }

  /** Offer it for a song that the served scan may know; `words` are those of `wordsOf`. */
  offer(entry, genres, words) {
    this.entry = entry;
    byId("right-label").textContent = `Right ${words.one}`;
    const { kind, correction } = entry;
    show(byId("wrong"), kind === "path" && correction !== undefined);
    this.open(false);
    this.say();
    byId("right-genre").value = correction ?? "";
    byId("genre-names").replaceChildren(...genres.map((genre) => make("option", { value: genre })));
  }

  open(visible) {
    show(byId("correction"), visible);
    byId("wrong").setAttribute("aria-expanded", String(visible));
  }

  say(problem = null) {
    const { correction } = this.entry;
    const noted = correction ? `Saved in the library: ${correction}.` : "";
    byId("noted").textContent = problem ? sentence(problem) : noted;
  }

  async save() {
    const { entry } = this;
    try {
      const { correction } = await correct(entry.name, byId("right-genre").value.trim());
      entry.correction = correction;
      this.onCorrect();
      if (entry !== this.entry) return; // another song is shown by now
      this.say();
      if (!correction) byId("noted").textContent = "The correction is taken back.";
      this.open(false);
      byId("wrong").focus();
    } catch (error) {
      if (entry === this.entry) this.say(error.message);
    }
  }
}
