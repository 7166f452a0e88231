// Views by address, `#/name/part?key=value`: links are plain anchors, and the browser's history goes back.

import { show } from "./dom.js";

/** The address of a view; parts and values may hold any character. */
export function address(name, parts = [], query = {}) {
  const path = [name, ...parts].map(encodeURIComponent).join("/");
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const asked = given.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
  return `#/${path}${asked ? `?${asked}` : ""}`;
}

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign: take it as it is written
  }
};

/** What an address asks for: `name`, `parts` and `query` (an object of texts). */
export function parse(hash) {
  // Pages of earlier versions named a song so; such addresses are kept and sent.
  if (hash.startsWith("#path=")) return { name: "song", parts: [], query: { path: decoded(hash.slice(6)) } };
  const [path, asked = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [name, ...parts] = path.split("/").map(decoded);
  const pairs = asked.split("&").filter(Boolean).map((pair) => pair.split(/=(.*)/s).slice(0, 2).map((text) => decoded(text ?? "")));
  return { name, parts: parts.filter(Boolean), query: Object.fromEntries(pairs) };
}

/**
 * Shows one of several views.
 *
 * A view has a `name`, an `element`, `title(route)` and `show(route, signal)`. The last fills the
 * element, may be a promise, and gives the element that gets the focus where it is not the view's
 * heading; the signal aborts when the view is left. `hide()` is optional. `onChange` hears of the
 * view and its route.
 */
export class Router {
  constructor({ views, home, onChange }) {
    Object.assign(this, { home, onChange });
    this.views = new Map(views.map((view) => [view.name, view]));
    this.tops = new Map(); // how far each entry of the history was scrolled
    this.current = null;
    history.scrollRestoration = "manual";
    window.addEventListener("hashchange", () => this.follow());
    window.addEventListener("scroll", () => this.key && this.tops.set(this.key, window.scrollY), { passive: true });
  }

  get route() {
    return parse(location.hash);
  }

  /** Show what the address names, or the home. */
  async follow({ first = false } = {}) {
    const { route } = this;
    const view = this.views.get(route.name) ?? this.views.get(this.home);
    this.leaving?.abort();
    const leaving = (this.leaving = new AbortController());
    const key = history.state?.key ?? newKey();
    history.replaceState({ key }, "");
    this.key = null; // what scrolls while the content changes is nobody's wish
    if (this.current !== view) this.current?.hide?.();
    this.current = view;
    for (const other of this.views.values()) show(other.element, other === view);
    document.title = [view.title(route), "genrenet"].filter(Boolean).join(" · ");
    this.onChange(view, route);
    let target = null;
    try {
      target = await view.show(route, leaving.signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
    if (leaving.signal.aborted) return;
    this.key = key;
    if (!first) (target ?? view.element.querySelector("h2"))?.focus({ preventScroll: true });
    if (!target) window.scrollTo(0, this.tops.get(key) ?? 0);
  }

  /** Go to an address. */
  go(to) {
    location.hash = to;
  }

  /** Let the address name what a view already shows; `push` makes an entry of the history. */
  name(to, { push = false } = {}) {
    if (push && to !== location.hash && parse(location.hash).query.path) {
      this.key = newKey();
      history.pushState({ key: this.key }, "", to);
    } else history.replaceState(history.state, "", to);
  }
}

const newKey = () => `${Date.now()}-${Math.random()}`;
