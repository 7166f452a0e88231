// Draws the points of the map. They are written into the pixels by hand: with 100,000 points and
// without a graphics card that took 2 ms a frame, against 340 ms with a canvas's own rectangles,
// 720 ms with WebGL and 1,200 ms with small pictures (headless Chromium, two busy cores).

import { HUES, patternOf, slotOf } from "./genre_colours.js";

const SHAPES = [
  (x, y) => x * x + y * y <= 1, // disc
  (x, y) => Math.abs(x) <= 0.85 && Math.abs(y) <= 0.85, // square
  (x, y) => Math.abs(x) + Math.abs(y) <= 1.2, // diamond
  (x, y) => y <= 0.8 && y >= 2 * Math.abs(x) - 1.1, // triangle
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 1.1 && Math.min(Math.abs(x), Math.abs(y)) <= 0.4, // cross
  (x, y) => y >= -0.8 && -y >= 2 * Math.abs(x) - 1.1, // triangle on its tip
];
const FINE = 4; // samples of a pixel on either axis

/** The shape that stands for a genre's pattern, as a path for the legend. */
export function drawShape(pen, genre, colour, size) {
  const stamp = stampOf(genre ? patternOf(genre) : 0, size * 0.36);
  for (const [x, y, share] of stamp) {
    pen.fillStyle = colour;
    pen.globalAlpha = share;
    pen.fillRect(Math.floor(size / 2) + x, Math.floor(size / 2) + y, 1, 1);
  }
  pen.globalAlpha = 1;
}

/** Pixels of a shape around a point, with the share of each that it covers. */
function stampOf(shape, radius) {
  const inside = SHAPES[shape];
  const reach = Math.ceil(radius * 1.2);
  const found = [];
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      let hits = 0;
      for (let i = 0; i < FINE * FINE; i += 1) {
        const [right, down] = [((i % FINE) + 0.5) / FINE - 0.5, (Math.floor(i / FINE) + 0.5) / FINE - 0.5];
        if (inside((x + right) / radius, (y + down) / radius)) hits += 1;
      }
      if (hits) found.push([x, y, hits / (FINE * FINE)]);
    }
  }
  return found;
}

/** A colour such as "#2166ac" as a pixel in memory. */
function pixelOf(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

export class Raster {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.stamps = new Map();
  }

  /** Take the size of the canvas on the page. */
  resize(width, height) {
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    [this.canvas.width, this.canvas.height] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    this.image = this.pen.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.stamps.clear();
  }

  /** Take the colours of the moment. */
  colour(genres) {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => pixelOf(style.getPropertyValue(name).trim().replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3"));
    this.ground = named("--bg");
    this.faint = named("--line");
    const hues = Array.from({ length: HUES }, (_, hue) => named(`--genre-${hue}`));
    const none = named("--genre-none");
    this.colours = Uint32Array.from(genres, ({ genre }) => (slotOf(genre) === null ? none : hues[slotOf(genre) % HUES]));
    this.shapes = Uint8Array.from(genres, ({ genre }) => patternOf(genre));
  }

  /** How large points are, in CSS pixels. */
  radius(view, count) {
    const alone = Math.sqrt((view.width * view.height) / Math.max(1, count));
    return Math.min(7, Math.min(6, Math.max(1.25, alone * 0.3)) * Math.sqrt(view.depth));
  }

  /** Draw all points; those of genres that are not `shown` are faint. While the map moves, `rough`. */
  draw(points, view, shown, rough = false) {
    const { canvas, ratio, pixels } = this;
    if (!canvas.width || !canvas.height) return;
    pixels.fill(this.ground);
    const radius = this.radius(view, points.count) * ratio;
    if (shown.includes(0)) this.pass(points, view, (code) => !shown[code], Math.max(1, radius * 0.7), true, rough);
    this.pass(points, view, (code) => shown[code], radius, false, rough);
    this.pen.putImageData(this.image, 0, 0);
  }

  pass(points, view, wanted, radius, faint, rough) {
    const { x, y, genre, count } = points;
    const { width, height } = this.canvas;
    const stamps = SHAPES.map((_, shape) => this.stamp(shape, radius));
    const reach = Math.ceil(radius * 1.2);
    const scale = view.scale * this.ratio;
    const scaleX = view.scaleX * this.ratio;
    const [right, down] = [width / 2 - view.x * scaleX, height / 2 + view.y * scale];
    const codes = Uint8Array.from(points.genres, (_, code) => (wanted(code) ? 1 : 0));
    for (let i = 0; i < count; i += 1) {
      const code = genre[i];
      if (!codes[code]) continue;
      const left = (x[i] * scaleX + right) | 0;
      const top = (down - y[i] * scale) | 0;
      if (left < reach || top < reach || left >= width - reach || top >= height - reach) continue;
      const stamp = stamps[this.shapes[code]];
      const colour = faint ? this.faint : this.colours[code];
      if (rough) this.stampRough(top * width + left, stamp.rough, colour);
      else this.stampFine(top * width + left, stamp, colour);
    }
  }

  stamp(shape, radius) {
    const key = `${shape} ${radius.toFixed(1)}`;
    if (!this.stamps.has(key)) {
      if (this.stamps.size > 200) this.stamps.clear();
      const found = stampOf(shape, radius);
      const at = ([x, y]) => y * this.canvas.width + x;
      const full = found.filter(([, , share]) => share >= 0.5);
      this.stamps.set(key, {
        rough: Int32Array.from(full.length ? full : [[0, 0]], at),
        places: Int32Array.from(found, at),
        shares: Int32Array.from(found, ([, , share]) => Math.round(share * 225)), // of 256: what lies below shines through
      });
    }
    return this.stamps.get(key);
  }

  stampRough(at, places, colour) {
    const { pixels } = this;
    for (let j = 0; j < places.length; j += 1) pixels[at + places[j]] = colour;
  }

  stampFine(at, { places, shares }, colour) {
    const { pixels } = this;
    const both = colour & 0xff00ff;
    const green = colour & 0xff00;
    for (let j = 0; j < places.length; j += 1) {
      const place = at + places[j];
      const below = pixels[place];
      const share = shares[j];
      const rest = 256 - share;
      // Two channels at once; the sums stay below 2 ** 32.
      const mixed = ((both * share + (below & 0xff00ff) * rest) >>> 8) & 0xff00ff;
      pixels[place] = 0xff000000 | mixed | (((green * share + (below & 0xff00) * rest) >>> 8) & 0xff00);
    }
  }
}
