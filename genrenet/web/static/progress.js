// How far the work is: a bar, a line, and now and then a word for screen readers.

import { many, percent } from "./format.js";
import { byId, show } from "./dom.js";

/** The card with the bar. `onCancel` hears the button. */
export class Progress {
  constructor({ onCancel }) {
    this.bar = byId("work-bar");
    byId("cancel").addEventListener("click", onCancel);
  }

  begin(name, isUpload) {
    this.told = 0;
    this.set(isUpload ? `Sending ${name}` : `Requesting ${name}`);
    show(byId("work"));
    announce(`Working on ${name}`);
  }

  end() {
    show(byId("work"), false);
  }

  sent(share) {
    if (share < 1) this.set(`Sending: ${percent(share)}`, share);
    else this.set("Sent; the server is reading it");
  }

  queued({ ahead }) {
    const text = ahead ? `Waiting for ${many(ahead, "song")} ahead` : "Next in line";
    this.set(text);
    announce(text);
  }

  started() {
    this.set("Analysing");
  }

  /** Frames: the line tells each, the screen reader only quarters of long songs. */
  frames({ done, total }) {
    if (!total) {
      this.set(`Analysing: ${many(done, "frame")} done`);
      return;
    }
    this.set(`Analysing: ${done} of ${many(total, "frame")} done`, done / total);
    const quarter = Math.floor((4 * done) / total);
    if (total >= 40 && quarter > this.told && quarter < 4) {
      this.told = quarter;
      announce(`${25 * quarter} % done`);
    }
  }

  set(text, share = null) {
    byId("work-text").textContent = text;
    if (share === null) this.bar.removeAttribute("value");
    else this.bar.value = share;
  }
}

/** Say something to screen readers, politely. */
export function announce(text) {
  byId("status").textContent = text;
}
