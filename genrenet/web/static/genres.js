// A colour and a pattern for every genre: a picture never tells genres apart by hue alone.

const HUES = 10; // --genre-0 to --genre-9 in base.css
const PATTERNS = 6;
const TILE = 8; // px

const style = () => getComputedStyle(document.documentElement);

/** Slots of genres: the same genre keeps its slot as long as this lives. */
export class Palette {
  /**
   * `order` is that of an earlier palette. Without it, `labels` get the first slots where there
   * are few of them; of many, those seen first do.
   */
  constructor(labels = [], order = null) {
    this.slots = new Map();
    for (const label of order ?? (labels.length <= HUES ? labels : [])) this.slot(label);
  }

  /** The genres with slots, for another palette like this one. */
  get order() {
    return [...this.slots.keys()];
  }

  /** The number of a genre, given to it where it has none yet. */
  slot(genre) {
    if (!this.slots.has(genre)) this.slots.set(genre, this.slots.size);
    return this.slots.get(genre);
  }

  has(genre) {
    return this.slots.has(genre);
  }

  /** The name of a genre's colour in the style sheet. */
  variable(genre) {
    return this.has(genre) ? `--genre-${this.slots.get(genre) % HUES}` : "--genre-none";
  }

  /** The colour itself, in the scheme of the moment. */
  colour(genre) {
    return style().getPropertyValue(this.variable(genre)).trim();
  }

  /** Colour and pattern as something a canvas can fill with. */
  fill(genre, context) {
    const colour = this.colour(genre);
    const pattern = this.has(genre) ? this.slots.get(genre) % PATTERNS : 0;
    return pattern ? patterned(context, colour, pattern) : colour;
  }

  /** A small canvas that shows a genre's colour and pattern. */
  swatch(genre) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [22, 16];
    canvas.setAttribute("aria-hidden", "true");
    const context = canvas.getContext("2d");
    context.fillStyle = this.fill(genre, context);
    context.fillRect(0, 0, canvas.width, canvas.height);
    return canvas;
  }
}

/** The colour of text upon a genre's colour. */
export const inkOnGenre = () => style().getPropertyValue("--on-genre").trim();

function patterned(context, colour, pattern) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = TILE;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, TILE, TILE);
  pen.strokeStyle = pen.fillStyle = inkOnGenre();
  pen.globalAlpha = 0.35;
  pen.lineWidth = 1.5;
  const line = (...points) => {
    pen.beginPath();
    pen.moveTo(points[0], points[1]);
    pen.lineTo(points[2], points[3]);
    pen.stroke();
  };
  const half = TILE / 2;
  // Diagonals are drawn three times, so that tiles meet without gaps at the corners.
  const shifts = [-TILE, 0, TILE];
  if (pattern === 1) shifts.forEach((shift) => line(shift - 1, TILE + 1, shift + TILE + 1, -1));
  if (pattern === 2) pen.fillRect(half - 1, half - 1, 2.5, 2.5);
  if (pattern === 3) shifts.forEach((shift) => line(shift - 1, -1, shift + TILE + 1, TILE + 1));
  if (pattern === 4) line(0, half, TILE, half);
  if (pattern === 5) line(half, 0, half, TILE);
  return context.createPattern(tile, "repeat");
}
