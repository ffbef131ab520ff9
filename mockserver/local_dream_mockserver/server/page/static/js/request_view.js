// The request as it would be sent now, as curl and as Python.

import { announce, byId, download } from "./dom.js";
import { curl, needsFile, python } from "./snippets.js";

const WRITERS = { curl, python };

export class RequestView {
  constructor() {
    this.values = {};
    for (const radio of document.querySelectorAll("[name=language]")) radio.addEventListener("change", () => this._write());
    byId("copy").addEventListener("click", async () => {
      await navigator.clipboard.writeText(byId("snippet").textContent);
      announce("Copied");
      byId("copy").dataset.done = "yes";
      setTimeout(() => { delete byId("copy").dataset.done; }, 1500);
    });
    byId("request-download").addEventListener("click", () => {
      download(new Blob([JSON.stringify(this.values)], { type: "application/json" }), "request.json");
    });
  }

  /** Shows these fields, sent to this server. */
  show(values, server) {
    this.values = values;
    this.url = server.url("/generate");
    this.hasToken = Boolean(server.token);
    this._write();
  }

  _write() {
    const language = document.querySelector("[name=language]:checked").value;
    byId("snippet").textContent = WRITERS[language](this.url, this.values, this.hasToken);
    byId("request-file").hidden = !needsFile(this.values);
  }
}
