// The picture of the map: points, what stands upon them, and moving in it.

import { percent } from "./format.js";
import { listen } from "./map_input.js";
import { drawOverlay } from "./map_overlay.js";
import { Raster } from "./map_raster.js";
import { MapWindow } from "./map_window.js";
import { make, show } from "./dom.js";

const REACH = 14; // px from the pointer to a song
const PAUSE = 150; // ms without a move, after which the picture is drawn finely
const SLOW = 12; // ms of a fine picture; a slower one is drawn roughly while it moves

/**
 * The map. `onPick` gets the number of a song that was clicked, -1 beside all songs; `onFrame`
 * the numbers in a frame; `onStill` hears that another part is in sight.
 */
export class MapCanvas {
  constructor({ onPick, onFrame, onStill }) {
    Object.assign(this, { onPick, onFrame, onStill });
    this.points = null;
    this.view = new MapWindow();
    this.framing = false;
    this.cost = 0;
    this.marks = { labels: [], hits: [], path: [], chosen: -1, hover: -1, frame: null, aim: false };
    const canvas = () => make("canvas", { "aria-hidden": "true" });
    this.under = canvas();
    this.over = canvas();
    this.tip = make("div", { class: "map-tip", "aria-hidden": "true", hidden: true });
    this.element = make(
      "div",
      { class: "map-box", role: "application", "aria-label": "Map of the songs", "aria-describedby": "map-hint", tabindex: 0 },
      this.under,
      this.over,
      this.tip,
    );
    this.raster = new Raster(this.under);
    new ResizeObserver(() => this.resize()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    for (const [name, aim] of [["focus", true], ["blur", false]]) {
      this.element.addEventListener(name, () => {
        this.mark({ aim: aim && this.element.matches(":focus-visible") });
      });
    }
    const still = (act) => (...given) => this.points && act(...given);
    listen(
      this.element,
      {
        move: still((right, down) => this.moved(() => this.view.move(right, down))),
        zoom: still((factor, left, top) => this.moved(() => this.view.zoom(factor, left, top))),
        whole: still(() => this.moved(() => this.view.whole())),
        hover: still((left, top) => this.hover(left, top)),
        click: still((left, top) => this.onPick(this.at(left, top))),
        frame: still((from, to, done) => this.frame(from, to, done)),
        enter: still(() => {
          this.mark({ aim: true });
          this.onPick(this.at(this.view.width / 2, this.view.height / 2, Infinity));
        }),
      },
      () => this.framing,
    );
  }

  take(points) {
    this.points = points;
    this.shown = points.genres.map(() => 1);
    this.recolour();
  }

  /** Show songs of some genres, by their places in the list of genres; of all where it is empty. */
  filter(codes) {
    this.shown = this.points.genres.map((_, code) => (codes.size === 0 || codes.has(code) ? 1 : 0));
    this.label();
    this.draw();
  }

  /** The first place of each genre, then the others; a label of a genre that is not shown is left out. */
  label() {
    const named = this.points.genres.flatMap(({ genre, labels, songs }, code) =>
      this.shown[code] ? labels.map(([x, y], i) => ({ text: genre, x, y, songs, i })) : [],
    );
    this.marks.labels = named.sort((a, b) => a.i - b.i || b.songs - a.songs);
  }

  recolour() {
    if (!this.points) return;
    this.raster.colour(this.points.genres);
    this.label();
    this.resize();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height || !this.points) return;
    this.view.resize(width, height);
    this.raster.resize(width, height);
    const { ratio } = this.raster;
    [this.over.width, this.over.height] = [this.under.width, this.under.height];
    this.pen = this.over.getContext("2d");
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }

  /** Change what is in sight. */
  moved(change) {
    change();
    this.tell(-1);
    this.rough = this.cost > SLOW;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.rough) {
        this.rough = false;
        this.draw();
      }
      this.onStill();
    }, PAUSE);
  }

  /** Draw with the next frame: all, or what stands upon the points. */
  draw({ points = true } = {}) {
    this.stale ||= points;
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      if (!this.points || !this.pen) return;
      if (this.stale) {
        const began = performance.now();
        this.raster.draw(this.points, this.view, this.shown, this.rough);
        if (!this.rough) this.cost = performance.now() - began;
        this.stale = false;
      }
      drawOverlay(this.pen, this.points, this.view, this.marks);
    });
  }

  mark(marks) {
    Object.assign(this.marks, marks);
    this.draw({ points: false });
  }

  /** Bring songs into sight. */
  reveal(numbers) {
    if (!numbers.length || !this.points) return;
    const { x, y } = this.points;
    if (numbers.length > 1) this.moved(() => this.view.fit(numbers.map((i) => x[i]), numbers.map((i) => y[i])));
    else if (!this.sees(numbers[0])) this.moved(() => this.view.centre(x[numbers[0]], y[numbers[0]]));
  }

  sees(i) {
    const [left, top] = [this.view.left(this.points.x[i]), this.view.top(this.points.y[i])];
    return left > 10 && top > 10 && left < this.view.width - 10 && top < this.view.height - 10;
  }

  /** Numbers of shown songs in sight. */
  inSight() {
    return this.view.inside(this.points, this.shown, [0, 0], [this.view.width, this.view.height]);
  }

  at(left, top, reach = REACH) {
    return this.view.nearest(this.points, this.shown, left, top, reach);
  }

  frame(from, to, done) {
    this.tell(-1);
    this.mark({ frame: done ? null : [from, to] });
    if (done) this.onFrame(this.view.inside(this.points, this.shown, from, to));
  }

  hover(left, top) {
    const found = left === null ? -1 : this.at(left, top);
    this.element.classList.toggle("pointing", found >= 0);
    if (found !== this.marks.hover) this.tell(found);
  }

  /** Tell of a song beside it; of -1 of none. */
  async tell(number) {
    const { points } = this;
    this.mark({ hover: number });
    if (number < 0) {
      show(this.tip, false);
      return;
    }
    const genre = points.genres[points.genre[number]].genre;
    const song = points.known.get(number);
    this.tip.replaceChildren(make("b", {}, song?.title ?? genre));
    if (song) {
      const sure = song.correction ? "corrected" : percent(song.confidence);
      if (song.artist) this.tip.append(make("span", {}, song.artist));
      this.tip.append(make("span", {}, `${song.genre ?? genre}, ${sure}`));
    }
    show(this.tip);
    const [left, top] = [this.view.left(points.x[number]), this.view.top(points.y[number])];
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const beside = left + 14 + width > this.view.width ? left - 14 - width : left + 14;
    this.tip.style.left = `${Math.max(0, beside)}px`;
    this.tip.style.top = `${Math.min(this.view.height - height, Math.max(0, top - height / 2))}px`;
    if (song) return;
    await new Promise((resolve) => setTimeout(resolve, 60)); // the pointer may only pass by
    if (this.marks.hover !== number) return;
    await points.songs([number]).catch(() => {}); // the genre is told already
    if (this.marks.hover === number && points.known.has(number)) this.tell(number);
  }
}
