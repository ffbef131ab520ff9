// The picture to start from, and its mask.

import { byId } from "./dom.js";
import { MaskPainter } from "./mask.js";
import { base64Of, bytesOf, covering, drawn, pngOf } from "./pictures.js";

export class Source {
  /** `changed` is called when a picture or mask comes or goes, `refused` with a line when a file is no picture. */
  constructor(changed, refused) {
    this.canvas = null;
    this.mask = new MaskPainter(() => this._show());
    this.changed = changed;
    this.refused = refused;
    this.size = () => ({ width: 512, height: 512 });
    byId("source-file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) this.take(file);
      event.target.value = "";
    });
    byId("source-remove").addEventListener("click", () => {
      this.set(null);
      byId("source-file").focus();
    });
    byId("mask-open").addEventListener("click", () => this.mask.open(covering(this.canvas, this.size())));
    this._dropping();
    document.addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
      if (file) this.take(file);
    });
  }

  get present() {
    return this.canvas !== null;
  }

  /** Takes a file of any picture format that the browser knows. */
  async take(file) {
    try {
      this.set(drawn(await createImageBitmap(file)));
    } catch {
      this.refused(`${file.name || "That"} is no picture that this browser can read.`);
    }
  }

  /** Takes a canvas, null for none. */
  set(canvas) {
    this.canvas = canvas;
    this.mask.clear();
    this._show();
  }

  /** `image` and `mask` as the contract wants them, both in the size of the result so that they lie on each other. */
  async fields(size) {
    if (!this.present) return {};
    const found = { image: base64Of(await pngOf(covering(this.canvas, size))) };
    if (!this.mask.isEmpty) found.mask = base64Of(await pngOf(this.mask.picture(size)));
    return found;
  }

  /** Shows what an earlier request had: the picture and mask that `fields` made. */
  async restore({ image, mask }) {
    this.set(image ? drawn(await createImageBitmap(new Blob([bytesOf(image)]))) : null);
    if (mask) this.mask.restore(drawn(await createImageBitmap(new Blob([bytesOf(mask)]))));
  }

  _show() {
    byId("source-empty").hidden = this.present;
    byId("source-full").hidden = !this.present;
    if (this.present) {
      const size = this.size();
      const shown = byId("source-canvas");
      const scale = Math.min(1, 480 / Math.max(size.width, size.height));
      [shown.width, shown.height] = [Math.max(1, Math.round(size.width * scale)), Math.max(1, Math.round(size.height * scale))];
      const context = shown.getContext("2d");
      context.drawImage(covering(this.canvas, size), 0, 0, shown.width, shown.height);
      this.mask.tint(context, shown.width, shown.height);
      byId("mask-open").querySelector("span").textContent = this.mask.isEmpty ? "Paint a mask" : "Edit the mask";
      byId("source-kind").textContent = this.mask.isEmpty ? "img2img" : "inpaint";
    }
    this.changed();
  }

  /** A picture may be dropped anywhere on the page. */
  _dropping() {
    const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    let depth = 0;
    const show = (by) => {
      depth = by === null ? 0 : depth + by;
      document.body.classList.toggle("dropping", depth > 0);
    };
    document.addEventListener("dragenter", (event) => { if (holds(event)) show(1); });
    document.addEventListener("dragleave", (event) => { if (holds(event)) show(-1); });
    document.addEventListener("dragover", (event) => { if (holds(event)) event.preventDefault(); });
    document.addEventListener("drop", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      show(null);
      const [file] = event.dataTransfer.files;
      if (file) this.take(file);
    });
  }
}
