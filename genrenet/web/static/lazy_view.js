// A view whose scripts are fetched when it is first shown, so that the first view need not wait for them.

import { make, show } from "./dom.js";

/** Stands for a view that `load()` promises. */
export class LazyView {
  constructor(name, text, load) {
    Object.assign(this, { name, text, load });
    this.element = make("section", { "aria-label": text });
    this.view = null;
  }

  title(route) {
    return this.view?.title(route) ?? this.text;
  }

  async show(route, signal) {
    this.loading ??= this.load();
    const view = await this.loading.catch(() => null);
    if (!view) {
      this.loading = null; // the next visit tries again
      this.element.replaceChildren(make("p", { class: "problem", role: "alert" }, "This view cannot be loaded. Is the server still running?"));
      return null;
    }
    if (!this.view) {
      this.view = view;
      view.router = this.router;
      this.element.replaceWith(view.element);
      this.element = view.element;
      show(this.element, this.router.current === this);
    }
    return signal.aborted ? null : view.show(route, signal);
  }

  hide() {
    this.view?.hide?.();
  }
}
