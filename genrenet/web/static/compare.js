// Two models on one song, side by side: the song is listened to by the other one too.

import { classify } from "./api.js";
import { percent, sentence } from "./format.js";
import { Palette, swatch } from "./genre_colours.js";
import { labelsOf, modelNames, wordsOf } from "./models.js";
import { announce } from "./progress.js";
import { fillScores } from "./scores.js";
import { sharesOf, verdict } from "./verdict.js";
import { byId, make, show } from "./dom.js";

/** The part of the song view; `fileOf()` gives an upload's file, if the song is one. */
export class Compare {
  constructor({ fileOf }) {
    this.fileOf = fileOf;
    this.running = null;
    byId("compare-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) this.running.abort();
      else this.run(byId("compare-model").value);
    });
  }

  /** Offer the models that have not classified a song. */
  offer(entry) {
    this.running?.abort();
    this.entry = entry;
    const others = modelNames().filter((name) => name !== entry.model);
    byId("compare-model").replaceChildren(...others.map((name) => make("option", { value: name }, name)));
    byId("compared").replaceChildren();
    this.say("");
    show(byId("compare"), others.length > 0 && (entry.kind === "path" || Boolean(this.fileOf())));
  }

  async run(model) {
    const { entry } = this;
    const mine = (this.running = new AbortController());
    const request = entry.kind === "path" ? { path: entry.name, model } : { file: this.fileOf(), model };
    byId("compare-go").textContent = "Cancel";
    this.say(`${model} is working.`);
    try {
      const { song } = await classify(request, {
        signal: mine.signal,
        onEvent: ({ event, done, total }) => event === "frames" && this.say(`${model} is working: ${total ? percent(done / total) : done}`),
        onSent: () => {},
      });
      if (entry !== this.entry) return;
      byId("compared").replaceChildren(side(entry.model, entry.song, entry.words), side(model, song));
      const same = song.genre === entry.song.genre;
      this.say(same ? `Both predict ${song.genre}.` : `${entry.model} predicts ${entry.song.genre}, ${model} predicts ${song.genre}.`);
      announce(byId("compare-said").textContent);
    } catch (error) {
      if (entry === this.entry) this.say(error.name === "AbortError" ? "Cancelled" : sentence(error.message));
    } finally {
      if (this.running === mine) this.running = null;
      if (!this.running) byId("compare-go").textContent = "Compare";
    }
  }

  say(text) {
    byId("compare-said").textContent = text;
  }
}

function side(model, song, words = wordsOf(model)) {
  const scores = make("div");
  const place = make("article", { class: "card" }, make("h4", {}, model));
  if (song.genre === null) {
    place.append(make("p", {}, sentence(song.error ?? "No answer")));
    return place;
  }
  place.append(make("p", { class: "genre" }, song.genre), make("p", {}, verdict(song, words)), scores);
  const palette = new Palette(labelsOf(model));
  for (const genre of Object.keys(song.scores)) palette.add(genre);
  fillScores(scores, song.scores, palette, words, model);
  const shares = sharesOf(song.sections ?? []);
  if (shares.length) {
    const items = shares.map(([genre, share]) => make("li", {}, swatch(genre), make("span", {}, `${genre}, ${percent(share)} of the time`)));
    place.append(make("ul", { class: "legend", "aria-label": `Timeline of ${model}` }, ...items));
  }
  return place;
}
