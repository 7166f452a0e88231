// Recordings that are there several times, each with its files.

import { askLibrary } from "./library_api.js";
import { CollectionView } from "./collection.js";
import { clock } from "./format.js";
import { PagedList } from "./paged_list.js";
import { songAddress } from "./song_list.js";
import { make } from "./dom.js";

/** What counts as the same recording; genrenet/web/library_copies.py decides so. */
export const MEANING =
  "Files count as one recording if their content is identical, or if artist and title are equal, the durations differ by at most two seconds, and the model's scores " +
  "are similar. The second rule is a heuristic: check before you delete anything. The largest file represents the others in all lists.";

/** `#/duplicates`. */
export class DuplicatesView extends CollectionView {
  constructor() {
    super("duplicates");
  }

  title() {
    return "Duplicates";
  }

  async fill(route, signal) {
    this.above.textContent = MEANING;
    const list = new PagedList({
      label: "Recordings",
      noun: "recording",
      load: async (offset, limit) => {
        const { recordings, total } = await askLibrary("duplicates", { offset, limit }, signal);
        return { rows: recordings, total };
      },
      item: ({ files }) => {
        const [{ title, artist }] = files;
        return make("li", { class: "recording" }, make("b", {}, title), artist ? make("small", {}, artist) : null, fileList(files));
      },
    });
    this.body.append(list.element);
    await list.more();
  }
}

/** Files of one recording, as links to their pages. */
export function fileList(files) {
  return make(
    "ul",
    { class: "files" },
    ...files.map((file) => make("li", {}, make("a", { href: songAddress(file) }, file.path), file.duration ? make("small", {}, clock(file.duration)) : null)),
  );
}
