// The picture of a song: its waveform, sections under it, the mix of genres in each frame, a scale.
// It only draws; timeline.js lets people move in it.

import { clock } from "./format.js";
import { inkOnGenre } from "./genre_colours.js";

const WAVE = { top: 0, height: 92 };
const SECTIONS = { top: 98, height: 34 };
const MIX = { top: 138, height: 56 };
const SCALE = { top: 196, height: 18 };
export const HEIGHT = SCALE.top + SCALE.height;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/**
 * Draw a song.
 *
 * `song` has `duration` (seconds), `peaks` (0 to 1), `secondsPerPeak`, `frames` in order, each
 * with start, end and scores, and `sections`. The width is that of the canvas on the page.
 */
export function draw(canvas, song, palette) {
  const width = canvas.clientWidth;
  if (!width || !song.duration) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(canvas);
  const colours = {
    wave: style.getPropertyValue("--muted"),
    empty: style.getPropertyValue("--card"),
    line: style.getPropertyValue("--line"),
    text: style.getPropertyValue("--muted"),
    page: style.getPropertyValue("--bg"),
  };
  const x = (seconds) => (seconds / song.duration) * width;
  pen.font = `13px ${style.fontFamily}`;
  drawWave(pen, song, x, width, colours);
  for (const row of [SECTIONS, MIX]) {
    pen.fillStyle = colours.empty;
    pen.fillRect(0, row.top, width, row.height);
  }
  drawMix(pen, song.frames, x, palette, colours);
  drawSections(pen, song.sections, x, palette, colours);
  drawScale(pen, song.duration, x, width, colours);
}

function drawWave(pen, { peaks, secondsPerPeak, duration }, x, width, colours) {
  const middle = WAVE.top + WAVE.height / 2;
  pen.fillStyle = colours.line;
  pen.fillRect(0, middle, width, 1);
  if (!peaks.length) return;
  const loudest = Math.max(0.05, peaks.reduce((most, peak) => Math.max(most, peak), 0));
  const step = 3; // a bar of 2 px and a gap
  pen.fillStyle = colours.wave;
  for (let left = 0; left < width; left += step) {
    const from = Math.floor(((left / width) * duration) / secondsPerPeak);
    const to = Math.ceil((((left + step) / width) * duration) / secondsPerPeak);
    if (from >= peaks.length) break;
    let most = 0;
    for (let i = from; i < Math.min(to, peaks.length); i += 1) most = Math.max(most, peaks[i]);
    const height = Math.max(1, (most / loudest) * (WAVE.height - 4));
    pen.fillRect(left, middle - height / 2, step - 1, height);
  }
}

function drawSections(pen, sections, x, palette, colours) {
  for (const { start, end, genre } of sections) {
    const [left, right] = [x(start), x(end)];
    pen.fillStyle = palette.fill(genre, pen);
    pen.fillRect(left, SECTIONS.top, Math.max(1, right - left), SECTIONS.height);
    const text = pen.measureText(genre).width;
    if (text + 16 < right - left) {
      // A plain ground, so that no pattern runs through the letters.
      pen.fillStyle = palette.colour(genre);
      pen.fillRect(left + 4, SECTIONS.top + 7, text + 8, 20);
      pen.fillStyle = inkOnGenre();
      pen.textBaseline = "middle";
      pen.fillText(genre, left + 8, SECTIONS.top + 17.5);
    }
  }
  // Gaps between neighbours, whatever their colours.
  pen.fillStyle = colours.page;
  for (const { start } of sections.slice(1)) pen.fillRect(x(start) - 1, SECTIONS.top, 2, SECTIONS.height);
}

function drawMix(pen, frames, x, palette, colours) {
  const genres = palette.order;
  for (const { start, end, scores } of frames) {
    const total = Math.max(1, Object.values(scores).reduce((sum, score) => sum + score, 0));
    const [left, width] = [x(start), Math.max(1, x(end) - x(start) + 0.5)];
    let bottom = MIX.top + MIX.height;
    for (const genre of genres) {
      const height = ((scores[genre] ?? 0) / total) * MIX.height;
      if (height < 0.5) continue;
      pen.fillStyle = palette.fill(genre, pen);
      pen.fillRect(left, bottom - height, width, height);
      bottom -= height;
    }
  }
}

function drawScale(pen, duration, x, width, colours) {
  const widest = pen.measureText(clock(duration)).width + 24;
  const step = STEPS.find((seconds) => x(seconds) >= widest) ?? STEPS.at(-1);
  pen.fillStyle = colours.text;
  pen.textBaseline = "top";
  for (let at = 0; at <= duration; at += step) {
    const left = at ? x(at) + 4 : 0;
    pen.fillRect(Math.min(x(at), width - 1), SCALE.top, 1, 4);
    if (left + pen.measureText(clock(at)).width <= width) pen.fillText(clock(at), left, SCALE.top + 4);
  }
}
