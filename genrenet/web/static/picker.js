// What is to be classified: a path inside the served folder, or a file from this computer.

import { described } from "./models.js";
import { PathField } from "./combobox.js";
import { takeDrops } from "./dropping.js";
import { bytes } from "./format.js";
import { byId, make, show } from "./dom.js";

/**
 * The form. `onGo` gets a request ({path} or {file}, perhaps with a model); `onRefuse` a message
 * on what is wrong with the choice; `onChange` hears that the choice is another.
 */
export class Picker {
  constructor({ onGo, onRefuse, onChange }) {
    Object.assign(this, { onGo, onRefuse, onChange });
    this.file = null;
    this.limit = Infinity;
    this.field = new PathField({
      onChoose: () => this.announce("Press Enter or GO to start."),
      onType: () => {
        this.take(null);
        this.onChange();
      },
    });
    const chooser = byId("file");
    byId("choose").addEventListener("click", () => chooser.click());
    chooser.addEventListener("change", () => {
      if (chooser.files.length) this.upload(chooser.files[0]);
      chooser.value = ""; // the same file may be chosen again
    });
    byId("unchoose").addEventListener("click", () => {
      this.take(null);
      byId("choose").focus();
    });
    takeDrops({ onFile: (file) => this.upload(file), onRefuse });
    byId("picker").addEventListener("submit", (event) => {
      event.preventDefault();
      this.go();
    });
  }

  /** Offer models where there are several; `limit` is the most bytes of an upload. */
  offer(models, limit) {
    this.limit = limit || Infinity;
    const select = byId("model");
    select.replaceChildren(
      ...models.map((model) =>
        make("option", { value: model.name, selected: model.default }, described(model)),
      ),
    );
    show(select.parentElement, models.length > 1);
  }

  /** Fill the field, as if the path had been typed. */
  fill(path) {
    this.take(null);
    this.field.value = path;
  }

  upload(file) {
    if (file.size > this.limit) {
      this.onRefuse(`'${file.name}' has ${bytes(file.size)}; the server accepts at most ${bytes(this.limit)}.`);
      return;
    }
    if (!file.size) {
      this.onRefuse(`'${file.name}' is empty.`);
      return;
    }
    this.field.value = "";
    this.take(file);
    this.onChange();
    this.announce(`${file.name} is chosen. Press GO to start.`);
  }

  take(file) {
    this.file = file;
    const chosen = byId("chosen");
    show(chosen, file !== null);
    show(byId("choose-hint"), file === null);
    chosen.firstElementChild.textContent = file ? `${file.name} (${bytes(file.size)})` : "";
  }

  get model() {
    const select = byId("model");
    return select.options.length > 1 ? select.value : null;
  }

  go() {
    const path = this.field.value;
    this.field.close();
    if (this.file) this.onGo({ file: this.file, model: this.model });
    else if (path.endsWith("/")) this.onRefuse("That is a folder. Choose a song in it.", "path");
    else if (path) this.onGo({ path, model: this.model });
    else this.onRefuse("Choose a song first: a path in the music folder, or a file.", "path");
  }

  announce(text) {
    byId("count").textContent = text;
  }
}
