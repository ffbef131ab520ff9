// What the contract says of answers that are no stream: errors of /generate and /upscale, and enlarged pictures.

import { kindOf, sizeOf } from "./pictures.js";

const TYPES = { 400: "request_error", 500: "server_error" };

/** One breach: the requirement's id, and what was seen. */
export class Finding {
  constructor(id, said) {
    this.id = id;
    this.said = said;
  }
}

/** The message of an error envelope, "" where the body has none. */
export function messageOf(body) {
  try {
    const { error } = JSON.parse(body);
    return typeof error.message === "string" ? error.message : "";
  } catch {
    return "";
  }
}

/** An answer with an error status. */
export function judgeError(status, headers, body) {
  const found = [];
  if (status < 400) return found;
  const strict = status in TYPES;
  const media = (headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (strict && media !== "application/json") found.push(new Finding("ERR-01", `the media type is ${media || "missing"}, not application/json`));
  if (status === 503 && media !== "application/json") found.push(new Finding("EXT-BSY-03", `the media type is ${media || "missing"}, not application/json`));
  const message = messageOf(body);
  if (!message) {
    const id = strict ? "ERR-02" : status === 503 ? "EXT-BSY-03" : "ERR-04";
    found.push(new Finding(id, 'the body is no {"error": {"message", "type"}}'));
  } else if (strict) {
    const { type } = JSON.parse(body).error;
    if (type !== TYPES[status]) found.push(new Finding("ERR-03", `type is ${JSON.stringify(type)}, not ${TYPES[status]}`));
  }
  return found;
}

/** An answer of /upscale with status 200 to a picture of `width` x `height`, `waited` in milliseconds. */
export function judgeUpscale(headers, bytes, { width, height }, waited) {
  const found = [];
  const media = (headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (media !== "image/jpeg") found.push(new Finding("UPS-ANS-01", `the media type is ${media || "missing"}, not image/jpeg`));
  const size = kindOf(bytes) === "jpeg" ? sizeOf(bytes) : null;
  if (size === null) return [...found, new Finding("UPS-ANS-02", "the body is no JPEG")];
  if (size.channels !== 3) found.push(new Finding("UPS-ANS-02", "the JPEG has no colours"));
  if (bytes.at(-2) !== 0xff || bytes.at(-1) !== 0xd9) found.push(new Finding("UPS-ANS-02", "the JPEG is cut off, or something follows it"));
  if (size.width !== 4 * width || size.height !== 4 * height) {
    found.push(new Finding("UPS-ANS-03", `${size.width} x ${size.height} pixels, not ${4 * width} x ${4 * height}`));
  }
  const said = ["x-output-width", "x-output-height"].map((name) => headers.get(name));
  if (said[0] !== String(size.width) || said[1] !== String(size.height)) {
    found.push(new Finding("UPS-ANS-04", `X-Output-Width and X-Output-Height are ${said[0]} and ${said[1]}`));
  }
  const spent = headers.get("x-duration-ms") ?? "";
  if (!/^\d+$/.test(spent)) found.push(new Finding("UPS-ANS-05", `X-Duration-Ms is ${JSON.stringify(spent)}`));
  else if (Number(spent) > Math.max(waited + 50, waited * 1.05)) {
    found.push(new Finding("UPS-ANS-06", `X-Duration-Ms is ${spent}, and the wait was ${Math.round(waited)} ms`));
  }
  return found;
}
