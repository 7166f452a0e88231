// Brings the library's table up to date: begun here, done by the server, followed while the page is open.

import { followScan, getScan, startScan, stopScan } from "./api.js";
import { many, sentence } from "./format.js";
import { announce } from "./progress.js";
import { make, say, show } from "./dom.js";

/** The panel. `onDone` hears that the table may have changed. */
export class ScanPanel {
  constructor({ onDone }) {
    this.onDone = onDone;
    this.start = make("button", { type: "button" }, "Look for changes");
    this.retry = make("input", { type: "checkbox" });
    this.again = make("label", { class: "check", hidden: true }, this.retry, " also files that could not be read");
    this.bar = make("progress", { "aria-label": "Scan" });
    this.stop = make("button", { type: "button" }, "Cancel");
    this.work = make("div", { class: "scan-work", hidden: true }, this.bar, this.stop);
    this.text = make("p", { role: "status" });
    this.hint = make("p", { class: "note" }, "Classifies new and changed songs and removes deleted ones, as 'genrenet scan' does. The scan continues when this page is closed.");
    this.element = make("section", { class: "scan", "aria-label": "Keep the library up to date" }, make("div", { class: "links" }, this.start, this.again), this.hint, this.work, this.text);
    this.start.addEventListener("click", () => this.begin());
    this.stop.addEventListener("click", () => {
      this.stop.setAttribute("aria-disabled", "true");
      this.say("Stopping after the current songs.");
      stopScan().catch((error) => this.say(error.message));
    });
  }

  /** Show a scan that is at work already, or the end of the last one; `errors` are files that could not be read. */
  async look(errors, signal) {
    show(this.again, errors > 0);
    const status = await getScan(signal);
    if (status.state === "running") await this.follow(signal);
    else if (status.state !== "idle") this.say(ended(status));
  }

  async begin() {
    this.say("");
    try {
      await startScan(this.retry.checked);
      await this.follow();
    } catch (error) {
      this.say(sentence(error.message));
    }
  }

  /** Follow a scan to its end. */
  async follow(signal = null) {
    this.busy(true);
    this.stop.removeAttribute("aria-disabled");
    let last = { state: "running" };
    try {
      await followScan((status) => {
        last = status;
        this.draw(status);
      }, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.say(sentence(error.message));
    } finally {
      this.busy(false);
    }
    if (last.state === "running") return; // the connection broke off: the next visit sees more
    this.say(ended(last));
    announce(ended(last));
    this.onDone();
  }

  draw({ state, done, total }) {
    if (state !== "running") return;
    if (total) {
      this.bar.max = total;
      this.bar.value = done;
    } else this.bar.removeAttribute("value");
    if (!this.stop.hasAttribute("aria-disabled")) this.say(total ? `${done.toLocaleString("en")} of ${many(total, "song")}` : "Checking the files");
  }

  busy(on) {
    const focused = on ? document.activeElement === this.start : document.activeElement === this.stop;
    show(this.work, on);
    show(this.start, !on);
    show(this.hint, !on);
    if (on) show(this.again, false);
    if (focused) (on ? this.stop : this.start).focus();
  }

  say(text) {
    say(this.text, text);
  }
}

function ended({ state, counts, error }) {
  if (state === "failed") return sentence(error);
  const { new: added, changed, moved, gone, failed, left } = counts;
  const parts = [[added, "new"], [changed, "changed"], [moved, "moved"], [gone, "gone"], [failed, "not read"]].filter(([count]) => count);
  const said = parts.map(([count, what]) => `${count.toLocaleString("en")} ${what}`).join(", ") || "nothing has changed";
  return state === "cancelled" ? `Cancelled: ${said}; ${many(left, "song")} left for the next scan.` : `Up to date: ${said}.`;
}
