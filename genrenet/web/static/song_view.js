// The song view: a song is chosen, listened to, and shown; what each part does when another calls.

import { classify } from "./api.js";
import { baseName, many, percent, sentence } from "./format.js";
import { History } from "./history.js";
import { askLibrary } from "./library_api.js";
import { learnModels } from "./models.js";
import { Picker } from "./picker.js";
import { announce, Progress } from "./progress.js";
import { fillFacts } from "./song_facts.js";
import { Result } from "./result.js";
import { address } from "./router.js";
import { byId, make, reveal, show } from "./dom.js";

/** The view; `router` is set by the page. */
export class SongView {
  name = "song";

  constructor() {
    this.element = byId("song-view");
    this.running = null; // the AbortController of the work in hand
    this.progress = new Progress({ onCancel: () => this.running?.abort() });
    this.result = new Result({
      onPick: (path) => {
        this.picker.fill(path);
        this.picker.go();
        byId("cancel").focus(); // the button that was pressed is gone
      },
      onCorrect: () => this.history.keep(),
    });
    byId("listen").addEventListener("click", () => this.picker.go());
    this.history = new History({ onOpen: (entry, file) => this.reopen(entry, file), onClear: () => byId("main").focus() });
    this.picker = new Picker({
      onGo: (request) => this.run(request),
      onRefuse: (message, field) => this.refuse(message, field),
      onChange: () => {
        show(byId("problem"), false);
        if (this.element.hidden) this.router.go(address("song")); // a file was dropped on another view
      },
    });
  }

  /** Take what the server offers: models, and the most bytes of an upload. */
  offer(models, limit) {
    learnModels(models);
    this.picker.offer(models, limit);
  }

  title() {
    return "";
  }

  /** Show the song that the address names. It is filled in, not run: a link alone starts no work. */
  async show({ query: { path } }, signal) {
    if (!path) return null;
    this.picker.fill(path);
    if (this.running && this.result.entry?.name === path) return null;
    const former = this.history.find(path);
    if (former) return this.reopen(former);
    const facts = await this.factsOf(path, signal);
    return facts && !signal.aborted ? this.reopen(asEntry(facts)) : null;
  }

  /** What the library says of a song; null where none is served, or it does not know it. */
  factsOf(path, signal = null) {
    return this.router.views.has("") ? askLibrary("song", { path }, signal).catch(() => null) : null;
  }

  async run(request) {
    const { progress, result } = this;
    this.running?.abort();
    const mine = (this.running = new AbortController());
    const isCurrent = () => this.running === mine;
    const name = request.file?.name ?? request.path;
    const entry = { id: crypto.randomUUID?.() ?? String(Date.now()), kind: request.file ? "file" : "path", name };
    show(byId("problem"), false);
    result.abandon();
    this.history.mark(null);
    this.link(request.path, true);
    document.title = `Working on ${baseName(name)} · genrenet`;
    progress.begin(baseName(name), Boolean(request.file));
    reveal(byId("work"));
    const peaks = [];
    const events = {
      queued: (event) => progress.queued(event),
      started: (event) => {
        const { title, artist, duration, model, seconds_per_peak: secondsPerPeak } = event;
        Object.assign(entry, { title, artist, duration, model, secondsPerPeak });
        result.begin(entry, request.file);
        progress.started();
      },
      waveform: (event) => {
        event.peaks.forEach((peak, i) => (peaks[event.first + i] = peak));
        result.addPeaks(event);
      },
      frames: (event) => {
        progress.frames(event);
        result.addFrames(event);
      },
    };
    try {
      const { song, similar, by, correction } = await classify(request, {
        signal: mine.signal,
        onEvent: (event) => isCurrent() && events[event.event]?.(event),
        onSent: (share) => isCurrent() && progress.sent(share),
      });
      if (!isCurrent()) return;
      Object.assign(entry, { song, similar, by, correction, peaks, duration: entry.duration ?? song.duration });
      this.done(entry, request.file);
    } catch (error) {
      if (!isCurrent()) return; // other work has begun
      this.failed(error);
    } finally {
      if (isCurrent()) {
        this.running = null;
        progress.end();
      }
    }
  }

  done(entry, file) {
    this.result.finish(entry);
    if (entry.kind === "path") this.addFacts(entry);
    this.tell(entry);
    if (entry.song.genre !== null) this.history.add(entry, file);
    // The Cancel button is about to go: move its focus to the result.
    if (document.activeElement === byId("cancel")) byId("result-name").focus();
  }

  async addFacts(entry) {
    entry.facts = await this.factsOf(entry.name);
    if (this.result.entry === entry) fillFacts(entry.facts);
    this.history.keep();
  }

  tell({ name, title, song }) {
    const what = song.genre === null ? "no genre" : `${song.genre}, ${percent(song.confidence)}`;
    announce(`${title || baseName(name)}: ${what}`);
    if (!this.element.hidden) document.title = `${song.genre ?? "No genre"} · ${title || baseName(name)} · genrenet`;
  }

  failed(error) {
    const onCancel = document.activeElement === byId("cancel");
    this.result.abandon();
    document.title = "genrenet";
    if (error.name === "AbortError") {
      announce("Cancelled");
      if (onCancel) document.querySelector(".go").focus();
      return;
    }
    this.refuse(error.message, error.status === 404 ? "path" : null);
    if (error.retryAfter) more(`Try again in ${many(Number(error.retryAfter), "second")}.`);
    if (error.status === 401) {
      byId("problem").append(make("p", {}, make("a", { href: location.pathname }, "Enter the token again")));
    }
    if (onCancel) document.querySelector(".go").focus();
  }

  /** Say what is wrong; where it is a field that has to change, go there. */
  refuse(message, field = null) {
    const place = byId("problem");
    place.replaceChildren(make("p", {}, sentence(message)));
    show(place);
    document.title = "Not done · genrenet";
    if (field) byId(field).focus();
    reveal(place);
  }

  reopen(entry, file) {
    this.running?.abort();
    this.running = null;
    this.progress.end();
    show(byId("problem"), false);
    this.history.mark(entry);
    this.result.open(entry, file);
    this.link(entry.kind === "path" ? entry.name : null);
    this.tell(entry);
    byId("result-name").focus({ preventScroll: true });
    reveal(byId("result"));
    return byId("result-name");
  }

  /** Let the address name the song, so that it can be kept and sent. */
  link(path, push = false) {
    this.router?.name(address("song", [], { path }), { push });
  }
}

/** What the library's table says of a song, as an entry of the history is: nothing of it was heard here. */
function asEntry(stored) {
  const { path, title, artist, duration, checkpoint, scores, correction, state, error, notes } = stored;
  const scoreOf = (genres) => Object.fromEntries(genres.map((genre) => [genre, scores[genre] ?? stored.confidence]));
  const genre = state === "error" ? null : (stored.genre ?? "not music");
  const song = {
    genre,
    confidence: stored.confidence ?? 0,
    genres: scoreOf(stored.genres),
    subgenres: scoreOf(stored.subgenres),
    unsure: state === "unsure",
    scores,
    error: error ?? null,
    notes,
    sections: [],
    timeline: [],
  };
  return { id: path, kind: "path", name: path, title, artist, duration, model: checkpoint, peaks: [], song, correction, stored: true, facts: stored, similar: [], by: null };
}

const more = (text) => byId("problem").append(make("p", {}, text));
