// A colour and a pattern for every genre, the same in every view: a picture never tells genres
// apart by hue alone. The server gives known genres their numbers (genrenet/utils/genre_colours.py).

export const HUES = 10; // --genre-0 to --genre-9 in base.css
const PATTERNS = 6;
const SLOTS = HUES * PATTERNS;
const TILE = 8; // px

const slots = new Map();
const style = () => getComputedStyle(document.documentElement);

/** Take the numbers that the server gives to genres. */
export function fixColours(genres) {
  for (const [genre, slot] of Object.entries(genres)) slots.set(genre, slot);
}

/** The number of a genre, from 0 to 59; one that the server does not know has it from its name. */
export function slotOf(genre) {
  if (!slots.has(genre)) {
    let hash = 0;
    for (const letter of genre) hash = (31 * hash + letter.codePointAt(0)) % 1000003;
    slots.set(genre, hash % SLOTS);
  }
  return slots.get(genre);
}

/** The name of a genre's colour in the style sheet; what has no genre is grey. */
export const variableOf = (genre) =>
  genre && slotOf(genre) !== null ? `--genre-${slotOf(genre) % HUES}` : "--genre-none";

/** The colour itself as text, such as "#2166ac", in the scheme of the moment. */
export const colourOf = (genre) => style().getPropertyValue(variableOf(genre)).trim();

/** The number of a genre's pattern: 0 is plain. Each of the 60 pairs of hue and pattern occurs once. */
export const patternOf = (genre) => (slotOf(genre) + Math.floor(slotOf(genre) / 30)) % PATTERNS;

/** The colour of text upon a genre's colour. */
export const inkOnGenre = () => style().getPropertyValue("--on-genre").trim();

/** Colour and pattern as something a canvas can fill with. */
export function fillOf(genre, context) {
  const pattern = genre ? patternOf(genre) : 0;
  return pattern ? patterned(context, colourOf(genre), pattern) : colourOf(genre);
}

/** A small canvas that shows a genre's colour and pattern. */
export function swatch(genre) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [22, 16];
  canvas.className = "swatch";
  canvas.dataset.genre = genre ?? "";
  canvas.setAttribute("aria-hidden", "true");
  paint(canvas);
  return canvas;
}

function paint(canvas) {
  const context = canvas.getContext("2d");
  context.fillStyle = fillOf(canvas.dataset.genre || null, context);
  context.fillRect(0, 0, canvas.width, canvas.height);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const canvas of document.querySelectorAll("canvas.swatch")) paint(canvas);
});

/** Genres that a picture of one song tells apart, in the order they are stacked; others are grey. */
export class Palette {
  /** `order` is that of an earlier palette; without it, `labels` are in where they are few. */
  constructor(labels = [], order = null) {
    this.genres = new Set(order ?? (labels.length <= HUES ? labels : []));
  }

  get order() {
    return [...this.genres];
  }

  add(genre) {
    this.genres.add(genre);
  }

  variable(genre) {
    return variableOf(this.known(genre));
  }

  colour(genre) {
    return colourOf(this.known(genre));
  }

  fill(genre, context) {
    return fillOf(this.known(genre), context);
  }

  known(genre) {
    return this.genres.has(genre) ? genre : null;
  }
}

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
