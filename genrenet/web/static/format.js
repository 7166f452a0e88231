// Numbers and names as people read them.

/** Seconds as m:ss, or h:mm:ss from an hour on. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A share from 0 to 1 as a percentage; what is not quite none or all does not read as if it were. */
export function percent(share) {
  const whole = Math.round(100 * share);
  if (whole === 0 && share > 0) return "<1 %";
  if (whole === 100 && share < 1) return ">99 %";
  return `${whole} %`;
}

/** Bytes in the unit that suits them. */
export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  for (; count >= 1000 && unit < units.length - 1; unit += 1) count /= 1000;
  return `${count >= 10 || unit === 0 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

/** A count with its noun. */
export function many(count, one, more = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
}

/** Much playing time in hours, less in minutes. */
export function length(seconds) {
  return seconds >= 5400 ? many(Math.round(seconds / 3600), "hour") : many(Math.round(seconds / 60), "minute");
}

/** The last part of a path. */
export const baseName = (path) => path.split("/").pop();

/** The folder of a path, without the last slash; empty at the top. */
export const folderOf = (path) => path.split("/").slice(0, -1).join("/");

/** Genres with their scores, the highest first. */
export const ranked = (scores) => Object.entries(scores).sort((a, b) => b[1] - a[1]);

/** A message of the server as a sentence of the page. */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
