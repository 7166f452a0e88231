// The timeline as a slider: a place in the song is chosen by mouse, touch or keys, and read out.

import { clock, percent, ranked } from "./format.js";
import { swatch } from "./genre_colours.js";
import { draw } from "./strip.js";
import { byId, make, show } from "./dom.js";

const STEP = 5; // seconds of an arrow key
const LEAP = 30; // seconds of Page Up and Page Down

/** The strip, its read-out and its legend. `onSeek` gets seconds; `onToggle` hears the space bar. */
export class Timeline {
  constructor({ onSeek, onToggle }) {
    Object.assign(this, { onSeek, onToggle });
    this.strip = byId("strip");
    this.canvas = this.strip.querySelector("canvas");
    this.playhead = this.strip.querySelector(".playhead");
    this.cursor = this.strip.querySelector(".cursor");
    this.clear(null);
    new ResizeObserver(() => this.redraw()).observe(this.strip);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.redraw();
      this.drawLegend();
    });
    this.listen();
  }

  /** Begin with an empty picture. */
  clear(palette, duration = 0, secondsPerPeak = 0) {
    this.palette = palette;
    this.song = { duration: duration || 0, secondsPerPeak, peaks: [], frames: [], sections: [] };
    this.position = 0;
    this.inLegend = "";
    byId("legend").replaceChildren();
    this.redraw();
    this.moveTo(0);
  }

  addPeaks(first, peaks) {
    peaks.forEach((peak, i) => (this.song.peaks[first + i] = peak));
    this.reach(this.song.peaks.length * this.song.secondsPerPeak);
    this.redraw();
  }

  /** Frames may come out of order. Until sections are known, neighbours of a genre make one. */
  addFrames(frames) {
    this.song.frames = [...this.song.frames, ...frames].sort((a, b) => a.start - b.start);
    this.setSections(merged(this.song.frames));
  }

  setSections(sections) {
    this.song.sections = sections;
    for (const { genre } of sections) this.palette.add(genre);
    this.reach(this.song.frames.at(-1)?.end ?? 0);
    this.drawLegend();
    this.redraw();
    this.tell();
  }

  /** Lengthen a song whose duration was not known, or not true. */
  reach(seconds) {
    if (seconds > this.song.duration + 0.5 || !this.song.duration) this.song.duration = seconds;
    this.strip.setAttribute("aria-valuemax", Math.round(this.song.duration));
  }

  redraw() {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => this.palette && draw(this.canvas, this.song, this.palette));
  }

  drawLegend() {
    if (!this.palette) return;
    const seconds = new Map();
    for (const { genre, start, end } of this.song.sections) {
      seconds.set(genre, (seconds.get(genre) ?? 0) + end - start);
    }
    const total = [...seconds.values()].reduce((sum, part) => sum + part, 0) || 1;
    const items = [...seconds].sort((a, b) => b[1] - a[1]);
    byId("legend").replaceChildren(
      ...items.map(([genre, part]) =>
        make("li", {}, swatch(genre), make("span", {}, `${genre}, ${percent(part / total)} of the time`)),
      ),
    );
  }

  /** Set the playhead. `quietly` while playing: a screen reader need not hear every second. */
  moveTo(seconds, quietly = false) {
    this.position = Math.min(Math.max(0, seconds), this.song.duration);
    const share = this.song.duration ? this.position / this.song.duration : 0;
    this.playhead.style.setProperty("left", `${100 * share}%`);
    if (this.cursor.hidden) this.tell();
    if (!quietly || this.genreAt(this.position) !== this.said) this.value();
  }

  /** What assistive technology hears of the position. */
  value() {
    this.said = this.genreAt(this.position);
    this.strip.setAttribute("aria-valuenow", Math.round(this.position));
    this.strip.setAttribute("aria-valuetext", `${clock(this.position)}, ${this.said}`);
  }

  genreAt(seconds) {
    const place = this.song.sections.findLast(at(seconds));
    return place?.genre ?? "no genre";
  }

  /** Show the scores at a time: of the frame there. */
  tell(seconds = this.position) {
    const frame = this.song.frames.findLast(at(seconds));
    const best = frame && ranked(frame.scores).slice(0, 3);
    const text = best
      ? best.map(([genre, score]) => `${genre} ${percent(score)}`).join(", ")
      : this.song.frames.length && "left out by the model";
    byId("readout").textContent = clock(seconds) + (text ? ` · ${text}` : "");
  }

  seek(seconds) {
    this.moveTo(seconds);
    this.onSeek(this.position);
  }

  listen() {
    const timeOf = (event) => {
      const box = this.strip.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      return Math.min(1, Math.max(0, share)) * this.song.duration;
    };
    const hover = (event) => {
      const box = this.strip.getBoundingClientRect();
      const left = Math.min(Math.max(0, event.clientX - box.left), box.width);
      this.cursor.style.setProperty("left", `${left}px`);
      show(this.cursor);
      this.tell(timeOf(event));
    };
    const leave = () => {
      show(this.cursor, false);
      this.tell();
    };
    this.strip.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.strip.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.seek(timeOf(event));
    });
    this.strip.addEventListener("pointermove", (event) => {
      hover(event);
      if (this.dragging) this.seek(timeOf(event));
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.strip.addEventListener(name, (event) => {
        this.dragging = false;
        if (event.pointerType === "touch") leave();
      });
    }
    this.strip.addEventListener("pointerleave", leave);
    this.strip.addEventListener("focus", () => this.value());
    this.strip.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const to = {
      ArrowRight: this.position + STEP,
      ArrowUp: this.position + STEP,
      ArrowLeft: this.position - STEP,
      ArrowDown: this.position - STEP,
      PageUp: this.position + LEAP,
      PageDown: this.position - LEAP,
      Home: 0,
      End: this.song.duration,
    }[event.key];
    if (to === undefined && event.key !== " ") return;
    event.preventDefault();
    if (to === undefined) this.onToggle();
    else this.seek(to);
  }
}

/** Whether a part of the song is there at a time; of two that meet there, the later one counts. */
const at = (seconds) => ({ start, end }) => seconds >= start && seconds <= end;

/** Neighbouring frames of a genre as one section. */
export function merged(frames) {
  const found = [];
  for (const { start, end, genre } of frames) {
    const last = found.at(-1);
    if (last && last.genre === genre && start - last.end < 0.5) last.end = end;
    else found.push({ start, end, genre });
  }
  return found;
}
