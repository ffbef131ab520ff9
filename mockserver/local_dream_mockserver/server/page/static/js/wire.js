// The stream as it arrives, byte for byte, with what the contract says of each event.

import { byId, bytesText, download, el, sentence } from "./dom.js";

const SHOWN = 500; // events that get a line; all are in the download
const HEAD = 48, TAIL = 12; // characters of a long run that are shown
const LONG = /[A-Za-z0-9+/=_-]{160,}|[^\n"]{600,}/g;
const CONTROL = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff]/g;

export class Wire {
  constructor(contract) {
    this.contract = contract;
    this.pieces = [];
    byId("stream-download").addEventListener("click", () => {
      download(new Blob(this.pieces, { type: "application/octet-stream" }), "events.txt");
    });
    this.clear();
  }

  /** A new answer is awaited. */
  clear() {
    this.pieces = [];
    this.events = 0;
    this.bytes = 0;
    this.breaches = new Map();
    byId("stream-list").replaceChildren();
    byId("stream-download").disabled = true;
    byId("stream-empty").hidden = false;
    this._sum("No request yet", "none");
  }

  /** Takes what a generation says; see generation.js. */
  heard(message) {
    if (message.kind === "head") {
      this._line("head", message.at, `HTTP ${message.status}, ${message.headers.get("content-type") ?? "no Content-Type"}`, "", message.findings);
      this._count(message.findings);
      this._sum("Streaming", "running");
    } else if (message.kind === "event") {
      this.events += 1;
      this.bytes += message.bytes.length;
      this._count(message.findings);
      if (this.events <= SHOWN) {
        this._line(message.event.name || "event", message.at, raw(message.bytes), bytesText(message.bytes.length), message.findings);
      }
      this._sum("Streaming", "running");
    } else {
      this._end(message);
    }
  }

  /** The answer was no stream: its status, and its body. */
  refused({ status, body, findings }) {
    this._count(findings);
    this._line("refused", null, [`HTTP ${status}\n`, ...shown(body)], bytesText(body.length), findings);
    this.pieces = [body];
    byId("stream-download").disabled = false;
    this._sum(`Status ${status}`, this.breaches.size ? "bad" : "good");
  }

  _end({ how, at, unfinished, pieces, length, findings }) {
    const words = { ended: "The stream has ended", broken: "The connection broke", open: "The stream was left open", cancelled: "Cancelled: the page hung up" };
    if (unfinished) this._line("torn", at, `${unfinished.name || "an event"} that nothing ends, from byte ${unfinished.start}`, "", []);
    this.pieces = pieces;
    this.bytes = length;
    this._count(findings);
    this._line("end", at, words[how], "", findings);
    byId("stream-download").disabled = !length;
    this._sum(words[how], this._worst(how === "ended" || how === "cancelled" ? "good" : "odd"));
  }

  _count(findings) {
    for (const { id } of findings) this.breaches.set(id, (this.breaches.get(id) ?? 0) + 1);
  }

  _worst(otherwise) {
    const levels = [...this.breaches.keys()].map((id) => this._requirement(id).level);
    return levels.includes("MUST") ? "bad" : levels.length ? "odd" : otherwise;
  }

  _requirement(id) {
    return this.contract.requirements.get(id) ?? { level: "MUST", text: "" };
  }

  _sum(words, tone) {
    const ids = [...this.breaches.keys()];
    const parts = [words];
    if (this.events) parts.push(`${this.events} events`, bytesText(this.bytes));
    if (ids.length) parts.push(`breaks ${ids.join(", ")}`);
    else if (tone === "good") parts.push("holds the contract");
    const summary = byId("stream-summary");
    summary.textContent = parts.join(" · ");
    summary.dataset.tone = ids.length ? this._worst(tone) : tone;
    byId("stream-badge").textContent = ids.length ? String(ids.length) : "";
    byId("stream-badge").hidden = !ids.length;
  }

  _line(name, at, text, size, findings) {
    byId("stream-empty").hidden = true;
    const time = at === null ? "" : `${(at / 1000).toFixed(3)} s`;
    const verdict = findings.length
      ? el("ul", { class: "findings" }, ...findings.map((finding) => this._finding(finding)))
      : el("p", { class: "fine" }, name === "refused" || name === "torn" ? "" : "✓ as the contract says");
    byId("stream-list").append(el("li", { class: `line ${name}`, "data-name": name },
      el("p", { class: "when" }, el("span", { class: "name" }, name), el("span", {}, time), size && el("span", {}, size)),
      el("pre", {}, ...[text].flat()), verdict));
  }

  _finding({ id, said }) {
    const { level, text } = this._requirement(id);
    return el("li", { class: level === "MUST" ? "bad" : "odd", title: text },
      el("strong", {}, id), ` ${level} · ${said}`, text && el("span", { class: "sentence" }, ...sentence(text)));
  }
}

/** Bytes as text: every byte can be told from it, but for the middle of long lines. */
function raw(bytes) {
  return shown(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
}

/** A text with its line ends, as nodes; pictures, and other long runs, are cut in their middle, which says how much. */
function shown(text) {
  const nodes = [];
  let at = 0;
  for (const { 0: run, index } of text.matchAll(LONG)) {
    const cut = el("span", { class: "cut" }, ` ${(run.length - HEAD - TAIL).toLocaleString("en")} characters `);
    nodes.push(escaped(text.slice(at, index + HEAD)), cut);
    at = index + run.length - TAIL;
  }
  return [...nodes, escaped(text.slice(at))];
}

function escaped(text) {
  return text.replaceAll("\r", "\\r").replaceAll("\n", "↵\n").replace(CONTROL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
