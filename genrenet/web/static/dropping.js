// Files that are dragged over the page: any place of it takes them.

import { byId, show } from "./dom.js";

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Let the whole page take a file. `onFile` gets it; `onRefuse` a message that says why not. */
export function takeDrops({ onFile, onRefuse }) {
  const overlay = byId("drop");
  let depth = 0; // an event comes for every element that is entered or left

  const on = (name, act) =>
    document.addEventListener(name, (event) => {
      if (!carriesFiles(event)) return; // dragged text goes where it wants
      event.preventDefault();
      act(event);
    });
  on("dragenter", () => {
    depth += 1;
    show(overlay);
  });
  on("dragover", (event) => {
    event.dataTransfer.dropEffect = "copy";
  });
  on("dragleave", () => {
    depth = Math.max(0, depth - 1);
    show(overlay, depth > 0);
  });
  on("drop", (event) => {
    depth = 0;
    show(overlay, false);
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
      onRefuse("That is a folder. Drop a single song.");
    } else if (event.dataTransfer.files.length > 1) {
      onRefuse("These are several files. Drop one song at a time.");
    } else if (event.dataTransfer.files.length === 1) {
      onFile(event.dataTransfer.files[0]);
    }
  });
}
