// The way between views: links that say which of them is shown, and the search of the library.

import { address } from "./router.js";
import { byId, make, show } from "./dom.js";

/** Fill the navigation; `links` are pairs of a view's name and what it is called. */
export function fillNavigation(links) {
  byId("views").replaceChildren(
    ...links.map(([name, text]) => make("li", {}, make("a", { href: address(name), "data-name": name }, text))),
  );
  show(byId("navigation"));
}

/** Point out the link of the view that is shown. */
export function pointOut(name) {
  for (const link of byId("views").querySelectorAll("a")) {
    if (link.dataset.name === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Let the search field lead to its results. `onSearch` gets the words. */
export function takeSearches(onSearch) {
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    onSearch(byId("search-words").value.trim());
  });
  byId("search-words").addEventListener("keydown", (event) => {
    const first = event.key === "ArrowDown" && document.querySelector("main > section:not([hidden]) .track .names a");
    if (!first) return;
    event.preventDefault();
    first.focus();
  });
  show(byId("search"));
}
