// A song's result: while it comes, and once it is there.

import { audioAddress } from "./api.js";
import { Compare } from "./compare.js";
import { Correction } from "./correction.js";
import { baseName, clock, folderOf, many, percent, ranked, sentence } from "./format.js";
import { Palette } from "./genre_colours.js";
import { labelsOf, wordsOf } from "./models.js";
import { Player } from "./player.js";
import { fillScores } from "./scores.js";
import { fillFacts } from "./song_facts.js";
import { Timeline } from "./timeline.js";
import { mixture, verdict } from "./verdict.js";
import { byId, make, say, show, songRow } from "./dom.js";

/**
 * The panel. `onPick` gets the path of a similar song that is to be classified; `onCorrect` hears
 * that the entry has another correction.
 */
export class Result {
  constructor({ onPick, onCorrect }) {
    this.onPick = onPick;
    this.correction = new Correction({ onCorrect });
    this.timeline = new Timeline({
      onSeek: (seconds) => this.player.seek(seconds),
      onToggle: () => this.player.toggle(),
    });
    this.player = new Player({ onTime: (seconds) => this.timeline.moveTo(seconds, true) });
    this.compare = new Compare({ fileOf: () => this.file });
    this.address = null;
  }

  /** Show an empty result that fills as events come. */
  begin(entry, file) {
    this.entry = entry;
    this.palette = new Palette(labelsOf(entry.model), entry.order);
    show(byId("result"));
    byId("result").setAttribute("aria-busy", "true");
    for (const id of ["verdict", "scores", "similar", "result-notes", "sections", "compare", "unheard"]) show(byId(id), false);
    fillFacts(entry.facts ?? null);
    show(byId("drawing"), !entry.stored);
    entry.words = wordsOf(entry.model, entry.facts?.kind);
    this.file = file;
    this.head();
    this.timeline.clear(this.palette, entry.duration, entry.secondsPerPeak);
    this.listen(file);
    show(byId("timeline"));
  }

  addPeaks({ first, peaks }) {
    this.timeline.addPeaks(first, peaks);
  }

  addFrames({ frames }) {
    this.timeline.addFrames(frames);
  }

  /** Show a result that is there as a whole; `file` is an upload of this page's life. */
  open(entry, file) {
    this.begin(entry, file);
    this.timeline.addPeaks(0, entry.peaks);
    this.finish(entry);
  }

  /** Show what the server decided. */
  finish(entry) {
    const { song } = (this.entry = entry);
    byId("result").setAttribute("aria-busy", "false");
    this.head();
    this.notes(song);
    const { words } = entry;
    const decided = song.genre !== null;
    show(byId("unheard"), Boolean(entry.stored) && decided);
    show(byId("verdict"), decided);
    show(byId("scores"), decided);
    if (decided) {
      // Colours for what is high in the song as a whole, besides what leads somewhere in it.
      for (const [genre] of ranked(song.scores).slice(0, 5)) this.palette.add(genre);
      byId("result-kind").textContent = words.best;
      byId("legend").setAttribute("aria-label", `${words.title} in the timeline`);
      byId("result-genre").textContent = song.genre;
      byId("result-confidence").textContent = verdict(song, words);
      say(byId("result-mixed"), mixture(song.sections ?? [], words));
      this.correction.offer(entry, labelsOf(entry.model) ?? Object.keys(song.scores), words);
      this.compare.offer(entry);
    }
    const frames = song.timeline ?? [];
    this.timeline.song.frames = frames;
    this.timeline.setSections(song.sections ?? []);
    this.timeline.moveTo(this.timeline.position);
    entry.order = this.palette.order;
    if (decided) fillScores(byId("scores"), song.scores, this.palette, words);
    this.fillSections(song.sections ?? []);
    this.fillSimilar(entry);
  }

  /** Take away a result that did not come. */
  abandon() {
    this.player.stop();
    this.entry = null;
    show(byId("result"), false);
  }

  head() {
    const { name, title, artist, duration, model } = this.entry;
    byId("result-name").textContent = title || baseName(name);
    const about = [artist, title ? baseName(name) : null, folderOf(name), duration && clock(duration), model];
    byId("result-about").textContent = about.filter(Boolean).join(" · ");
  }

  listen(file) {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = file ? URL.createObjectURL(file) : null;
    const { kind, name, duration } = this.entry;
    const address = kind === "path" ? audioAddress(name) : this.address;
    this.player.load(address, duration, "The audio of an upload is no longer available after the page is reloaded.");
  }

  notes({ error, notes }) {
    const list = byId("result-notes");
    list.replaceChildren(
      ...(error ? [make("li", { class: "problem" }, sentence(error))] : []),
      ...(notes ?? []).map((note) => make("li", {}, sentence(note))),
    );
    show(list, list.childElementCount > 0);
  }

  fillSections(sections) {
    const rows = sections.map(({ start, end, genre, confidence }) => {
      const jump = make("button", { type: "button", class: "quiet", "aria-label": `Go to ${clock(start)}` }, clock(start));
      jump.addEventListener("click", () => this.timeline.seek(start));
      const cells = [clock(end), genre, percent(confidence)].map((text) => make("td", {}, text));
      return make("tr", {}, make("td", {}, jump), ...cells);
    });
    const { one, sure } = this.entry.words;
    const heads = ["From", "To", one, sure].map((name) => name[0].toUpperCase() + name.slice(1)).map((name) => make("th", { scope: "col" }, name));
    byId("sections").querySelector(".wide").replaceChildren(
      make("table", { class: "list" }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
    );
    byId("sections").firstElementChild.textContent = `${many(sections.length, "section")} as a table`;
    show(byId("sections"), sections.length > 0);
    show(byId("readout"), this.timeline.song.frames.length > 0);
  }

  fillSimilar({ similar = [], by }) {
    const reason = {
      scores: `Songs with similar scores of ${this.entry.words.many}.`,
      embeddings: "Songs that sound similar to the model.",
      incomparable: "The library was scanned with a model that has other genres or tags, so its songs cannot be compared with this one.",
    }[by];
    show(byId("similar"), Boolean(reason) && Boolean(similar.length || by === "incomparable"));
    if (!reason) return;
    say(byId("similar-by"), reason);
    const items = similar.map(({ path, genre, similarity, title, artist, duration }) => {
      const under = [artist, title ? path : folderOf(path), duration && clock(duration)];
      const text = songRow(title || baseName(path), under.filter(Boolean).join(" · "), `${genre}, ${percent(similarity)} alike`);
      const button = make("button", { type: "button" }, ...text);
      button.addEventListener("click", () => this.onPick(path));
      return make("li", {}, button);
    });
    byId("similar").querySelector("ul").replaceChildren(...items);
  }
}
