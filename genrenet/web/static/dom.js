// Elements: found by id, and made. Data goes in as text or attributes, never as markup.

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element.
 *
 * `attributes` are set as they are; those that are null, undefined or false are left out.
 * `children` are elements or text.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** Show an element, or hide it. */
export function show(element, visible = true) {
  element.hidden = !visible;
}

/** Put text into an element, and hide the element where there is none. */
export function say(element, text) {
  element.textContent = text || "";
  element.hidden = !text;
}

/** A song of a list as the content of a button: its name, a line under it, what is said of it. */
export function songRow(name, under, what) {
  return [
    make("span", {}, name, under ? make("small", {}, under) : null),
    make("span", {}, what),
  ];
}

/** Bring an element into view where most of it is out of it. */
export function reveal(element) {
  const box = element.getBoundingClientRect();
  if (box.top < 0 || box.top > window.innerHeight - 120) {
    element.scrollIntoView({ block: "start" });
  }
}
