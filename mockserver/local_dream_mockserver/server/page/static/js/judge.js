// What the contract says of the answer to one /generate: each finding names its requirement. Requirements that compare
// several answers are for the suite; here stands what one stream can show.

import { Finding } from "./judge_errors.js";
import { base64Problem, bytesOf, kindOf, sizeOf } from "./pictures.js";

const NAMES = ["progress", "complete", "error"];
const TERMINAL = ["complete", "error"];
const FORMATS = ["raw", "jpeg", "png"];
const SLACK_MS = 50; // and a twentieth: clocks and rounding

const FRAMING = {
  "bom": ["GEN-SSE-04", "begins with a byte order mark"],
  "invalid-utf8": ["GEN-SSE-04", "has bytes that are not UTF-8"],
  "cr": ["GEN-SSE-05", "has a line that ends with CR"],
  "crlf": ["GEN-SSE-05", "has a line that ends with CR LF"],
  "no-event-line": ["GEN-SSE-06", "has no event: line"],
  "several-event-lines": ["GEN-SSE-06", "has a second event: line"],
  "event-after-data": ["GEN-SSE-06", "has its event: line after the data"],
  "several-data-lines": ["GEN-SSE-07", "has a second data: line"],
  "no-data": ["GEN-SSE-07", "has no data"],
  "no-space": ["GEN-SSE-07", "has no space after data:"],
};

export const integer = (value) => (Number.isInteger(value) ? value : null);
const told = (value) => (value === undefined ? "missing" : JSON.stringify(value).slice(0, 60));

/** Judges a stream event by event. Each method answers with the findings that it adds. */
export class StreamJudge {
  /** `asked` are the fields of the request, `fields` those of the contract (for the defaults of what was left out). */
  constructor(asked, fields = []) {
    this.asked = asked;
    this.default = Object.fromEntries(fields.map((field) => [field.name, field.default]));
    this.steps = [];
    this.previews = [];
    this.total = null;
    this.terminal = null;
    this.events = 0;
  }

  /** The head of an answer: whether it is a stream. */
  head(status, mediaType, headers) {
    const found = [];
    const type = (mediaType ?? "").split(";")[0].trim().toLowerCase();
    if (status === 200 && type !== "text/event-stream") {
      const once = type.split(",")[0].trim() === "text/event-stream";
      if (once) found.push(new Finding("GEN-SSE-02", `Content-Type is sent more than once: ${mediaType}`));
      else found.push(new Finding("GEN-SSE-01", `the media type is ${mediaType || "missing"}, not text/event-stream`));
      if (type === "application/json") found.push(new Finding("GEN-EVT-20", "status 200, and no stream"));
    }
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(mediaType ?? "")?.[1] ?? "utf-8";
    if (status === 200 && !/^utf-?8$/i.test(charset)) {
      found.push(new Finding("GEN-SSE-11", `Content-Type says ${charset}, and event streams are UTF-8`));
    }
    if (status === 200 && !/\bno-(cache|store)\b/i.test(headers.get("cache-control") ?? "")) {
      found.push(new Finding("GEN-SSE-03", "Cache-Control is not no-cache"));
    }
    if (status > 200 && status < 300) found.push(new Finding("GEN-SSE-01", `status ${status}, not 200`));
    if (status !== 200 && !(status >= 400 && status < 600)) {
      found.push(new Finding("GEN-EVT-20", `status ${status}, which is neither a stream nor an error`));
    }
    return found;
  }

  /** One event, `at` milliseconds after the request was sent. */
  event(event, at) {
    if (event.name === "" && event.data.trim() === "[DONE]") return this._done(event);
    const found = this._framing(event);
    if (event.silent) return found; // no reader ever sees it
    this.events++;
    let payload;
    try {
      payload = JSON.parse(event.data);
    } catch (error) {
      return [...found, new Finding("GEN-SSE-08", `the data is not JSON: ${error.message}`), ...this._order(event.name)];
    }
    if (payload === null || typeof payload !== "object" || Array.isArray(payload)) {
      return [...found, new Finding("GEN-SSE-08", "the data is JSON, but not an object"), ...this._order(event.name)];
    }
    event.payload = payload;
    if ((NAMES.includes(event.name) || NAMES.includes(payload.type)) && payload.type !== event.name) {
      found.push(new Finding("GEN-SSE-09", `type is ${told(payload.type)}, and the event is named ${told(event.name)}`));
    }
    if (!NAMES.includes(event.name)) found.push(new Finding("GEN-SSE-12", `the event is named ${told(event.name)}`));
    const late = this.terminal !== null;
    found.push(...this._order(event.name));
    if (event.name === "progress" && !late) found.push(...this._progress(payload));
    if (event.name === "complete" && !late) found.push(...this._complete(payload, at));
    if (event.name === "error" && !late && !(typeof payload.message === "string" && payload.message.trim())) {
      found.push(new Finding("GEN-EVT-18", `message is ${told(payload.message)}, not a text`));
    }
    return found;
  }

  /** The end of the stream. `how`: ended, broken (the connection), open (nothing more came, but no end), cancelled. */
  end(how, unfinished = null, loose = []) {
    const found = loose.filter((odd) => ["bom", "cr", "crlf", "invalid-utf8"].includes(odd.kind)).map(framed);
    if (how === "ended" && unfinished) found.push(new Finding("GEN-SSE-10", "no blank line ends the last event: readers drop it"));
    if (how !== "cancelled" && this.terminal === null) {
      found.push(new Finding("GEN-EVT-12", this.events ? "the stream ends without complete or error" : "the stream has no event"));
    }
    if (this.terminal !== null && (how === "open" || how === "broken")) {
      const said = how === "open" ? "the body does not end" : "the connection breaks";
      found.push(new Finding("GEN-EVT-14", `${said} after ${this.terminal}`));
    }
    return found;
  }

  _framing(event) {
    return event.odd.filter((odd) => odd.kind in FRAMING && !(odd.kind === "no-space" && !odd.text.startsWith("data"))).map(framed);
  }

  /** [DONE], as other APIs end their streams: it may follow the terminal event. */
  _done(event) {
    if (this.terminal !== null) return [];
    return [...this._framing(event), new Finding("GEN-SSE-08", "[DONE] comes before the terminal event")];
  }

  _order(name) {
    if (this.terminal !== null) {
      if (TERMINAL.includes(name)) return [new Finding("GEN-EVT-12", `a second terminal event, after ${this.terminal}`)];
      return name === "progress" ? [new Finding("GEN-EVT-13", `a progress event after ${this.terminal}`)] : [];
    }
    if (TERMINAL.includes(name)) this.terminal = name;
    return [];
  }

  _progress(payload) {
    const found = [];
    const [step, total] = [integer(payload.step), integer(payload.total_steps)];
    for (const [name, value] of [["step", step], ["total_steps", total]]) {
      if (value === null) found.push(new Finding("GEN-EVT-02", `${name} is ${told(payload[name])}, not an integer`));
    }
    if (step !== null && total !== null) {
      if (!(step >= 1 && step <= total)) found.push(new Finding("GEN-EVT-03", `step ${step} of ${total}`));
      const before = Math.max(0, ...this.steps.map((one) => one.step));
      if (step < before) found.push(new Finding("GEN-EVT-04", `step ${step} comes after step ${before}`));
      this.total ??= total;
      if (total !== this.total) found.push(new Finding("GEN-EVT-06", `total_steps is ${total}, and was ${this.total}`));
    }
    this.steps.push({ step: step ?? 0, total: total ?? 0 });
    if (payload.image !== undefined && payload.image !== null) {
      this.previews.push({ step, payload });
      const sent = this.asked.show_diffusion_process;
      if (sent !== true) found.push(new Finding(sent === false ? "GEN-EVT-08" : "GEN-DEF-08", "a preview, though none was asked for"));
      const problem = typeof payload.image === "string" ? base64Problem(payload.image) : `image is ${told(payload.image)}, not a string`;
      if (problem) found.push(new Finding("GEN-PIC-01", problem));
    }
    return found;
  }

  _complete(payload, at) {
    const found = this._counted();
    if (typeof payload.image !== "string") found.push(new Finding("GEN-EVT-15", `image is ${told(payload.image)}, not a string`));
    for (const name of ["seed", "width", "height", "generation_time_ms"]) {
      if (integer(payload[name]) === null) found.push(new Finding("GEN-EVT-15", `${name} is ${told(payload[name])}, not an integer`));
    }
    if (payload.channels !== 3) found.push(new Finding("GEN-EVT-16", `channels is ${told(payload.channels)}, not 3`));
    const longest = Math.max(at + SLACK_MS, at * 1.05);
    const first = integer(payload.first_step_time_ms);
    if (first === null) {
      found.push(new Finding("GEN-EVT-16", `first_step_time_ms is ${told(payload.first_step_time_ms)}, not an integer`));
    } else if (first < 0 || first > longest) {
      found.push(new Finding("GEN-EVT-16", `first_step_time_ms is ${first}, and the wait was ${Math.round(at)} ms`));
    }
    const spent = integer(payload.generation_time_ms);
    if (spent !== null && (spent < 0 || spent > longest)) {
      found.push(new Finding("GEN-EVT-17", `generation_time_ms is ${spent}, and the wait was ${Math.round(at)} ms`));
    }
    return [...found, ...this._seed(payload), ...this._pictures(payload)];
  }

  /** What the progress events come to, once complete is there. */
  _counted() {
    const found = [];
    const last = this.steps.at(-1);
    if (!last) found.push(new Finding("GEN-EVT-01", "no progress event before complete"));
    else if (last.step !== last.total) found.push(new Finding("GEN-EVT-05", `the last step was ${last.step} of ${last.total}`));
    if (this.asked.show_diffusion_process !== true || this.asked.image) return found;
    if (!this.previews.length) return [...found, new Finding("GEN-EVT-10", "no preview, though they were asked for")];
    const steps = integer(this.asked.steps ?? this.default.steps);
    const stride = integer(this.asked.show_diffusion_stride ?? this.default.show_diffusion_stride);
    if (steps === null || !stride) return found;
    const wanted = Math.ceil(steps / stride);
    const plain = this.steps.length === steps && this.steps.every(({ step }, index) => step === index + 1);
    const places = this.previews.every(({ step }, index) => step === index * stride + 1);
    if (this.previews.length !== wanted || (plain && !places)) {
      const at = plain ? `, at the steps ${this.previews.map(({ step }) => step).join(", ")}` : "";
      found.push(new Finding("GEN-EVT-11", `${this.previews.length} previews where ${steps} steps at stride ${stride} make ${wanted}${at}`));
    }
    return found;
  }

  _seed(payload) {
    const [sent, seed] = [integer(this.asked.seed ?? null), integer(payload.seed)];
    if (seed === null) return [];
    if (sent !== null) return seed === sent ? [] : [new Finding("GEN-EVT-19", `seed ${sent} was sent, and ${seed} came back`)];
    return seed >= 0 && seed <= 0xffffffff ? [] : [new Finding("GEN-DEF-11", `the seed ${seed} is no number of 32 bits`)];
  }

  _pictures(payload) {
    const found = [];
    const size = { width: integer(payload.width), height: integer(payload.height) };
    const { width, height } = this.asked;
    const other = this.asked.size !== undefined || this.asked.aspect_ratio !== undefined;
    if (!other && integer(width) !== null && integer(height) !== null && (size.width !== width || size.height !== height)) {
      found.push(new Finding("GEN-PIC-05", `${width} x ${height} was asked for, and complete says ${size.width} x ${size.height} (a model of one size?)`));
    }
    if (typeof payload.image === "string") {
      const problem = base64Problem(payload.image);
      if (problem) found.push(new Finding("GEN-PIC-01", problem));
      else found.push(...pictureFindings(payload, size, payload.format === undefined ? "GEN-PIC-02" : "GEN-PIC-03"));
    }
    for (const { payload: preview } of this.previews) {
      if (typeof preview.image !== "string" || base64Problem(preview.image)) continue;
      const [bad] = pictureFindings(preview, size, "GEN-PIC-06").filter(({ id }) => id === "GEN-PIC-06"); // coded, any size will do
      if (bad) return [...found, new Finding("GEN-PIC-06", `a preview: ${bad.said}`)];
    }
    return found;
  }
}

/** What is wrong with the bytes of a picture that is base64. `id` speaks of its coding, GEN-PIC-04 of its size. */
function pictureFindings(payload, { width, height }, id) {
  const bytes = bytesOf(payload.image);
  const format = payload.format ?? "raw";
  if (!FORMATS.includes(format)) return [new Finding(id, `format is ${told(payload.format)}`)];
  if (format === "raw") {
    const wanted = (width ?? 0) * (height ?? 0) * 3;
    const hint = kindOf(bytes) ? `: it is a ${kindOf(bytes)}` : "";
    return bytes.length === wanted ? [] : [new Finding(id, `${bytes.length} bytes where raw RGB has ${wanted}${hint}`)];
  }
  const size = kindOf(bytes) === format ? sizeOf(bytes) : null;
  if (size === null) return [new Finding(id, `the bytes are no ${format}`)];
  if (size.width === width && size.height === height) return [];
  return [new Finding("GEN-PIC-04", `a picture of ${size.width} x ${size.height}, and complete says ${width} x ${height}`)];
}

const framed = (odd) => new Finding(FRAMING[odd.kind][0], `${FRAMING[odd.kind][1]} (byte ${odd.at})`);

