// The sound of the song: a button, a clock, a volume, and the audio element behind them.

import { clock } from "./format.js";
import { byId, say } from "./dom.js";

/** The player. `onTime` gets the position in seconds whenever it has changed. */
export class Player {
  constructor({ onTime }) {
    this.onTime = onTime;
    this.audio = byId("audio");
    this.button = byId("play");
    this.duration = 0;
    this.able = false;
    this.button.addEventListener("click", () => this.toggle());
    byId("volume").addEventListener("input", (event) => (this.audio.volume = event.target.value));
    for (const name of ["play", "pause", "ended"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    this.audio.addEventListener("timeupdate", () => this.tell());
    this.audio.addEventListener("loadedmetadata", () => this.start > 0 && this.seek(this.start));
    this.audio.addEventListener("error", () => {
      if (this.audio.hasAttribute("src")) this.refuse("This browser cannot play the file; everything else works.");
    });
  }

  /** Take a song's address; null where there is none, and `why`. */
  load(address, duration, why = "") {
    this.start = 0;
    this.duration = duration || 0;
    this.able = Boolean(address);
    if (address) this.audio.src = address;
    else this.stop();
    say(byId("player-note"), address ? "" : why);
    this.show();
  }

  /** Be silent, and let go of the file. */
  stop() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  refuse(why) {
    this.able = false;
    say(byId("player-note"), why);
    this.show();
  }

  toggle() {
    if (!this.able) return;
    if (this.audio.paused) this.audio.play().catch(() => {}); // the error event tells
    else this.audio.pause();
  }

  seek(seconds) {
    this.start = seconds;
    if (this.able && this.audio.readyState > 0) this.audio.currentTime = seconds;
    this.showTime(seconds);
  }

  show() {
    const playing = this.able && !this.audio.paused && !this.audio.ended;
    this.button.classList.toggle("playing", playing);
    this.button.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.button.setAttribute("aria-disabled", String(!this.able));
    this.showTime(this.audio.currentTime || this.start);
    cancelAnimationFrame(this.running);
    if (playing && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.follow();
  }

  /** Between the few events of an audio element, so that the playhead glides. */
  follow() {
    this.tell();
    this.running = requestAnimationFrame(() => this.follow());
  }

  tell() {
    if (!this.able || this.audio.readyState === 0) return;
    this.showTime(this.audio.currentTime);
    this.onTime(this.audio.currentTime);
  }

  showTime(seconds) {
    byId("clock").textContent = `${clock(seconds)} / ${clock(this.duration)}`;
  }
}
