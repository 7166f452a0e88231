// The songs of the map as numbers, and what the server tells of them by sound.

import { ApiError, getJson, postJson, reach } from "./api.js";

/** All songs as points: `x` and `y` from 0 to `END`, upwards and to the right, and `genre`, the place of a song's genre in `genres`. */
export class Points {
  constructor(buffer) {
    const size = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
    const start = 4 + size; // a multiple of four
    this.count = head.songs;
    this.x = new Uint16Array(buffer, start, this.count);
    this.y = new Uint16Array(buffer, start + 2 * this.count, this.count);
    this.genre = new Uint8Array(buffer, start + 4 * this.count, this.count);
    Object.assign(this, { id: head.id, by: head.by, genres: head.genres, leftOut: head.left_out });
    this.known = new Map(); // songs by number
  }

  /** What is told of songs, in the order of their numbers. */
  async songs(numbers) {
    const missing = numbers.filter((number) => !this.known.has(number));
    if (missing.length) {
      const { songs } = await postJson("api/library/map/songs", { map: this.id, numbers: missing });
      for (const song of songs) this.known.set(song.number, song);
    }
    return numbers.map((number) => this.known.get(number));
  }
}

export const END = 65535;

/** The most songs that `Points.songs` takes at once. */
export const MOST = 5000;

/** The map, or, while it is being drawn, how far that is: `state`, `songs`, `seconds`. */
export async function fetchMap(signal) {
  const answer = await reach("api/library/map", { signal });
  if (answer.status === 200) return new Points(await answer.arrayBuffer());
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 202) return told;
  if (answer.status === 503) return { state: "reading" };
  throw new ApiError(told.error ?? `The server answered with status ${answer.status}.`, answer.status);
}

const asked = (pairs) => pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
const each = (name, paths) => paths.map((path) => [name, path]);

/** Songs like some and unlike others. */
export const nearSongs = (more, less, count, signal) =>
  getJson(`api/library/near?${asked([...each("more", more), ...each("less", less), ["count", count]])}`, signal);

/** Songs that lead from one to another. */
export const songPath = (from, to, count, signal) =>
  getJson(`api/library/path?${asked([["from", from], ["to", to], ["count", count]])}`, signal);

/** Numbers of songs that fit some words. */
export const findNumbers = (words, signal) => getJson(`api/library/map/numbers?${asked([["q", words]])}`, signal);
