// The page: what each part does when another calls.

import { classify, getHealth, getModels } from "./api.js";
import { baseName, many, percent, sentence } from "./format.js";
import { History } from "./history.js";
import { Picker } from "./picker.js";
import { announce, Progress } from "./progress.js";
import { Result } from "./result.js";
import { byId, make, reveal, show } from "./dom.js";

const LINK = "#path="; // the address of a song: the page with this and its path

let running = null; // the AbortController of the work in hand

const progress = new Progress({ onCancel: () => running?.abort() });
const result = new Result({
  onPick: (path) => {
    picker.fill(path);
    picker.go();
    byId("cancel").focus(); // the button that was pressed is gone
  },
  onCorrect: () => history.keep(),
});
const history = new History({ onOpen: reopen, onClear: () => byId("main").focus() });
const picker = new Picker({ onGo: run, onRefuse: refuse, onChange: () => show(byId("problem"), false) });

async function run(request) {
  running?.abort();
  const mine = (running = new AbortController());
  const isCurrent = () => running === mine;
  const name = request.file?.name ?? request.path;
  const entry = { id: crypto.randomUUID?.() ?? String(Date.now()), kind: request.file ? "file" : "path", name };
  show(byId("problem"), false);
  result.abandon();
  history.mark(null);
  link(request.path);
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
    done(entry, request.file);
  } catch (error) {
    if (!isCurrent()) return; // other work has begun
    failed(error);
  } finally {
    if (isCurrent()) {
      running = null;
      progress.end();
    }
  }
}

function done(entry, file) {
  result.finish(entry);
  tell(entry);
  if (entry.song.genre !== null) history.add(entry, file);
  // The Cancel button is about to go: move its focus to the result.
  if (document.activeElement === byId("cancel")) byId("result-name").focus();
}

function tell({ name, title, song }) {
  const what = song.genre === null ? "no genre" : `${song.genre}, ${percent(song.confidence)}`;
  announce(`${title || baseName(name)}: ${what}`);
  document.title = `${song.genre ?? "No genre"} · ${title || baseName(name)} · genrenet`;
}

function failed(error) {
  const onCancel = document.activeElement === byId("cancel");
  result.abandon();
  document.title = "genrenet";
  if (error.name === "AbortError") {
    announce("Cancelled");
    if (onCancel) document.querySelector(".go").focus();
    return;
  }
  refuse(error.message, error.status === 404 ? "path" : null);
  if (error.retryAfter) more(`Try again in ${many(Number(error.retryAfter), "second")}.`);
  if (error.status === 401) {
    byId("problem").append(make("p", {}, make("a", { href: location.pathname }, "Enter the token again")));
  }
  if (onCancel) document.querySelector(".go").focus();
}

/** Say what is wrong; where it is a field that has to change, go there. */
function refuse(message, field = null) {
  const place = byId("problem");
  place.replaceChildren(make("p", {}, sentence(message)));
  show(place);
  document.title = "Not done · genrenet";
  if (field) byId(field).focus();
  reveal(place);
}

const more = (text) => byId("problem").append(make("p", {}, text));

function reopen(entry, file) {
  running?.abort();
  running = null;
  progress.end();
  show(byId("problem"), false);
  history.mark(entry);
  result.open(entry, file);
  link(entry.kind === "path" ? entry.name : null);
  tell(entry);
  byId("result-name").focus({ preventScroll: true });
  reveal(byId("result"));
}

/** Let the address name the song, so that it can be kept and sent. */
function link(path) {
  const place = location.pathname + location.search;
  window.history.replaceState(null, "", path ? place + LINK + encodeURIComponent(path) : place);
}

/** The path that the address names. It is filled in, not run: a link alone starts no work. */
function follow() {
  if (!location.hash.startsWith(LINK)) return;
  let path = location.hash.slice(LINK.length);
  try {
    path = decodeURIComponent(path);
  } catch {
    // A stray percent sign: take it as it is written.
  }
  picker.fill(path);
  const former = history.find(path);
  if (former) reopen(former);
}

function library({ state, songs, files }) {
  const scanned = songs ? `${many(songs, "song")} of it scanned, for similar songs` : "";
  const text = {
    none: "no scan of it, so no similar songs",
    reading: "its scan is being read",
    ready: scanned,
  }[state];
  byId("library").textContent = `The music folder: ${many(files ?? 0, "file")}${text ? `, ${text}` : ""}.`;
}

async function greet() {
  const [health, { models }] = await Promise.all([getHealth(), getModels()]);
  for (const { name, genres } of models) result.labels.set(name, genres);
  picker.offer(models, health.limits.upload_bytes);
  library(health.library);
  // A large library is read in the background: look again until it is.
  for (let pause = 2000; byId("library").textContent.includes("being read"); pause *= 1.5) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    library((await getHealth()).library);
  }
}

window.addEventListener("hashchange", follow);
greet().then(follow, (error) => refuse(error.message));
