// A byte-strict reader of event streams (WHATWG HTML, section 9.2), which keeps what a lenient reader forgives.

const CR = 13, LF = 10, COLON = 58;
const BOM = [0xef, 0xbb, 0xbf];

/** Takes a stream piece by piece. The events do not depend on how the bytes were cut. */
export class Decoder {
  constructor() {
    this.length = 0; // bytes that came
    this.count = 0; // events so far
    this._parts = []; // pieces without a line end: a picture is one long line, and is joined once
    this._held = new Uint8Array(0);
    this._offset = 0; // of the first byte held
    this._first = true;
    this._loose = []; // oddities outside of events
    this._begin();
  }

  /** The events that these bytes complete: {index, name, lines, data, start, end, odd}, `odd` a list of {kind, at, text}. */
  feed(piece) {
    this.length += piece.length;
    const waits = this._held.at(-1) === CR; // for what follows: CR, or CR LF
    this._parts.push(piece);
    if (!waits && !piece.includes(LF) && !piece.includes(CR)) return [];
    this._join();
    return this._read(false);
  }

  /** The stream has ended: the last events, what was never ended (null where nothing was), and oddities outside of events. */
  close() {
    this._join();
    const events = this._read(true);
    let unfinished = null;
    if (this._held.length) this._line(this._held, this._offset);
    if (this._start !== null) {
      unfinished = { index: this.count, name: this._name ?? "", data: this._data.join("\n"), start: this._start, end: this.length, odd: this._odd };
    }
    return { events, unfinished, loose: this._loose };
  }

  _join() {
    const parts = [this._held, ...this._parts];
    this._held = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      this._held.set(part, at);
      at += part.length;
    }
    this._parts = [];
  }

  _begin() {
    this._start = null;
    this._name = null;
    this._data = [];
    this._odd = [];
  }

  _read(final) {
    const events = [];
    let at = 0;
    if (this._first) {
      const begins = BOM.slice(0, this._held.length).every((byte, index) => this._held[index] === byte);
      if (!final && begins && this._held.length < BOM.length) return events;
      this._first = false;
      if (begins && this._held.length >= BOM.length) {
        this._odd.push({ kind: "bom", at: 0, text: "" });
        at = BOM.length;
      }
    }
    const place = (byte) => {
      const found = this._held.indexOf(byte, at);
      return found < 0 ? this._held.length : found;
    };
    let cr = place(CR);
    for (;;) {
      if (cr < at) cr = place(CR);
      const end = Math.min(place(LF), cr);
      if (end === this._held.length) break;
      let ending = 1;
      if (this._held[end] === CR) {
        if (end + 1 === this._held.length && !final) break; // the next piece says whether this is CR or CR LF
        ending = this._held[end + 1] === LF ? 2 : 1;
        this._odd.push({ kind: ending === 2 ? "crlf" : "cr", at: this._offset + end, text: "" });
      }
      const event = this._line(this._held.subarray(at, end), this._offset + at, this._offset + end + ending);
      if (event) events.push(event);
      at = end + ending;
    }
    this._held = this._held.slice(at);
    this._offset += at;
    return events;
  }

  _line(bytes, offset, after = this.length) {
    if (!bytes.length) return this._dispatch(after);
    let text;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      this._odd.push({ kind: "invalid-utf8", at: offset, text: text.slice(0, 80) });
    }
    const odd = (kind) => this._odd.push({ kind, at: offset, text: text.slice(0, 80) });
    const colon = text.indexOf(":");
    if (bytes[0] === COLON) {
      odd("comment");
      return null;
    }
    const field = colon < 0 ? text : text.slice(0, colon);
    let value = colon < 0 ? "" : text.slice(colon + 1);
    if (field === "event" || field === "data") {
      if (!value.startsWith(" ")) odd("no-space");
      this._start ??= offset;
    }
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") {
      if (this._name !== null) odd("several-event-lines");
      else if (this._data.length) odd("event-after-data");
      this._name = value;
    } else if (field === "data") {
      if (this._data.length === 1) odd("several-data-lines");
      this._data.push(value);
    } else {
      odd(field === "id" || field === "retry" ? field : "unknown-field");
    }
    return null;
  }

  _dispatch(end) {
    if (this._start === null) { // comments and blank lines: no event, and no fault of one
      this._loose.push(...this._odd);
      this._begin();
      return null;
    }
    if (!this._data.length) this._odd.push({ kind: "no-data", at: this._start, text: this._name ?? "" });
    else if (!this._name) this._odd.push({ kind: "no-event-line", at: this._start, text: this._data[0].slice(0, 80) });
    const event = {
      index: this.count, name: this._name ?? "", data: this._data.join("\n"), silent: !this._data.length,
      start: this._start, end, odd: this._odd,
    };
    this._begin();
    this.count++;
    return event;
  }
}
