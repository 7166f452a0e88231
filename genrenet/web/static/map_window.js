// The part of the map that is in sight: between places of songs and pixels.

import { END } from "./map_data.js";

const MARGIN = 28; // px around the whole map
const DEEPEST = 80; // times the scale of the whole map

export class MapWindow {
  constructor() {
    [this.width, this.height] = [1, 1];
    this.whole();
  }

  /** Show all of it. */
  whole() {
    this.x = this.y = END / 2;
    this.scale = this.least;
  }

  /** Pixels per step of a place where all is in sight. */
  get least() {
    return Math.max(1, Math.min(this.width, this.height) - 2 * MARGIN) / END;
  }

  /** Pixels to the right for a pixel up: a wide picture shows the map wider. */
  get stretch() {
    return Math.min(1.6, Math.max(1, (this.width - 2 * MARGIN) / Math.max(1, this.height - 2 * MARGIN)));
  }

  get scaleX() {
    return this.scale * this.stretch;
  }

  /** How many times larger than the whole map. */
  get depth() {
    return this.scale / this.least;
  }

  resize(width, height) {
    const { depth } = this;
    Object.assign(this, { width, height });
    this.scale = this.least * depth;
    this.stay();
  }

  /** From a place to pixels, and back. */
  left(x) {
    return (x - this.x) * this.scaleX + this.width / 2;
  }

  top(y) {
    return (this.y - y) * this.scale + this.height / 2;
  }

  placeX(left) {
    return (left - this.width / 2) / this.scaleX + this.x;
  }

  placeY(top) {
    return this.y - (top - this.height / 2) / this.scale;
  }

  move(right, down) {
    this.x -= right / this.scaleX;
    this.y += down / this.scale;
    this.stay();
  }

  /** Zoom around a pixel, which keeps its place. */
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = [this.placeX(left), this.placeY(top)];
    this.scale = Math.min(DEEPEST, Math.max(1, this.depth * factor)) * this.least;
    this.x += x - this.placeX(left);
    this.y += y - this.placeY(top);
    this.stay();
  }

  centre(x, y) {
    [this.x, this.y] = [x, y];
    this.stay();
  }

  /** Show some points as large as they fit. */
  fit(xs, ys, margin = 60) {
    const [west, east] = [Math.min(...xs), Math.max(...xs)];
    const [south, north] = [Math.min(...ys), Math.max(...ys)];
    const room = (length) => Math.max(1, length - 2 * margin);
    const scale = Math.min(room(this.width) / this.stretch / Math.max(1, east - west), room(this.height) / Math.max(1, north - south));
    this.scale = Math.min(DEEPEST / 4, Math.max(1, scale / this.least)) * this.least;
    this.centre((west + east) / 2, (south + north) / 2);
  }

  /** Do not leave the map. */
  stay() {
    const within = (at, half) => (half >= END / 2 ? END / 2 : Math.min(END, Math.max(0, at)));
    this.x = within(this.x, (this.width / 2 - MARGIN) / this.scaleX);
    this.y = within(this.y, (this.height / 2 - MARGIN) / this.scale);
  }

  /** The shown point that is nearest to a pixel within some pixels; -1 for none. */
  nearest(points, shown, left, top, reach) {
    const { x, y, genre, count } = points;
    const [at, up] = [this.placeX(left), this.placeY(top)];
    const { scale, scaleX } = this;
    let best = -1;
    let least = reach ** 2;
    for (let i = 0; i < count; i += 1) {
      if (!shown[genre[i]]) continue;
      const distance = ((x[i] - at) * scaleX) ** 2 + ((y[i] - up) * scale) ** 2;
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
    return best;
  }

  /** Shown points between two corners in pixels. */
  inside(points, shown, [left, top], [right, bottom]) {
    const { x, y, genre, count } = points;
    const [west, east] = [this.placeX(Math.min(left, right)), this.placeX(Math.max(left, right))];
    const [south, north] = [this.placeY(Math.max(top, bottom)), this.placeY(Math.min(top, bottom))];
    const found = [];
    for (let i = 0; i < count; i += 1) {
      if (shown[genre[i]] && x[i] >= west && x[i] <= east && y[i] >= south && y[i] <= north) found.push(i);
    }
    return found;
  }

  /** The shown points nearest to the centre, of some numbers. */
  nearestOf(points, numbers, most) {
    const { stretch } = this;
    const gap = (i) => ((points.x[i] - this.x) * stretch) ** 2 + (points.y[i] - this.y) ** 2;
    return numbers.map((i) => [gap(i), i]).sort((a, b) => a[0] - b[0]).slice(0, most).map(([, i]) => i);
  }
}
