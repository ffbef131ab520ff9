// One generation, from the request's text to the end of its stream: read strictly, judged as it comes.

import { judgeError, messageOf } from "./judge_errors.js";
import { StreamJudge } from "./judge.js";
import { Refused } from "./server.js";
import { Decoder } from "./sse.js";

const OPEN_FOR = 10_000; // milliseconds after the terminal event in which the body must end

/**
 * Sends the request and calls `heard` with what comes: {kind: "head" | "event" | "end", findings, ...}.
 * Raises Refused for an error status (its findings are in `findings`), Unreachable, or AbortError.
 */
export async function generate(server, text, fields, signal, heard) {
  const began = performance.now();
  const judge = new StreamJudge(JSON.parse(text), fields);
  const response = await server.generate(text, signal);
  const { status, headers } = response;
  const findings = judge.head(status, headers.get("content-type"), headers);
  if (status !== 200) throw await refusal(response, findings);
  heard({ kind: "head", status, headers, findings, at: performance.now() - began });
  await read(response, judge, began, heard, signal);
}

/** What an error status becomes. */
export async function refusal(response, findings = []) {
  const body = await response.text().catch(() => "");
  const { status, headers } = response;
  const retry = headers.get("retry-after");
  const said = messageOf(body) || body.slice(0, 300) || `status ${status}, without a word`;
  const refused = new Refused(status, headers, body, retry ? `${said} (Retry-After: ${retry})` : said);
  refused.findings = [...findings, ...judgeError(status, headers, body)];
  return refused;
}

async function read(response, judge, began, heard, signal) {
  const decoder = new Decoder();
  const reader = response.body.getReader();
  const pieces = [];
  const hear = (events) => {
    for (const event of events) {
      const at = performance.now() - began;
      heard({ kind: "event", event, at, findings: judge.event(event, at), bytes: slice(pieces, event.start, event.end) });
    }
  };
  let how = "ended";
  let broken = null;
  try {
    for (;;) {
      const { done, value } = await (judge.terminal === null ? reader.read() : within(OPEN_FOR, reader.read()));
      if (done) break;
      pieces.push(value);
      hear(decoder.feed(value));
    }
  } catch (error) {
    how = signal.aborted ? "cancelled" : error === LATE ? "open" : "broken";
    broken = error;
    if (error === LATE) reader.cancel().catch(() => {});
  }
  const { events, unfinished, loose } = decoder.close();
  hear(events);
  heard({
    kind: "end", how, terminal: judge.terminal, at: performance.now() - began, unfinished, pieces, length: decoder.length,
    findings: judge.end(how, unfinished, loose),
  });
  if (how === "cancelled") throw broken;
}

const LATE = new Error("late");

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(LATE), milliseconds); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The bytes from `start` to `end` of a stream that came in pieces. */
function slice(pieces, start, end) {
  const found = new Uint8Array(end - start);
  let at = 0;
  for (const piece of pieces) {
    const [from, to] = [Math.max(start, at), Math.min(end, at + piece.length)];
    if (from < to) found.set(piece.subarray(from - at, to - at), from - start);
    at += piece.length;
  }
  return found;
}
