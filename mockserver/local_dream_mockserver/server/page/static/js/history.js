// The pictures of this session. A click brings a picture back, with the parameters that made it.

import { byId, el } from "./dom.js";
import { summary } from "./form.js";

const MOST = 60;
const EDGE = 160; // of a thumbnail, in pixels

export class History {
  /** `chosen` is called with the entry that was clicked. */
  constructor(chosen) {
    this.chosen = chosen;
    this.entries = [];
    this.number = 0;
  }

  /** Adds {values, result}: the newest comes first. */
  add(entry) {
    this.number += 1;
    const item = el("li", {}, this._button(entry, this.number));
    this.entries.unshift({ ...entry, item });
    byId("history-list").prepend(item);
    for (const old of this.entries.splice(MOST)) {
      old.item.remove();
      if (old.result.large) URL.revokeObjectURL(old.result.large.url);
    }
    byId("history").hidden = false;
    this._mark(entry);
  }

  _button(entry, number) {
    const { canvas } = entry.result;
    const scale = EDGE / Math.min(canvas.width, canvas.height);
    const small = el("canvas", { width: Math.ceil(canvas.width * scale), height: Math.ceil(canvas.height * scale), "aria-hidden": "true" });
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, 0, 0, small.width, small.height);
    const words = `${entry.values.prompt} (seed ${entry.result.seed})`;
    return el("button", {
      type: "button", "aria-label": `Picture ${number}: ${words}`, title: [entry.values.prompt, summary(entry.values)].filter(Boolean).join("\n"),
      on: { click: () => { this._mark(entry); this.chosen(entry); } },
    }, small);
  }

  _mark(entry) {
    for (const { result, item } of this.entries) {
      item.firstChild.setAttribute("aria-pressed", String(result === entry.result));
    }
  }
}
