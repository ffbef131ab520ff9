// A small server of the Local Dream API on Node's own http module, as a model for servers of your own.
// What paints is in engine.js; put your engine in its place.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { between, enlarged, paint, readPicture } from "./engine.js";

const { values: options } = parseArgs({
  options: { port: { type: "string", default: "8081" }, "step-ms": { type: "string", default: "50" } },
});

class Refusal extends Error {
  constructor(message, status = 400, headers = {}) {
    super(message);
    Object.assign(this, { status, headers });
  }
}

const isSide = (value) => value >= 8 && value <= 2048 && value % 8 === 0;

// Every field of POST /generate: its type, what it is when it is left out (or null), what it may be, and that in words.
const FIELDS = {
  prompt: ["string", undefined, (value) => value !== "", "must not be empty"],
  negative_prompt: ["string", ""],
  steps: ["integer", 20, (value) => value >= 1 && value <= 1000, "must be 1 to 1000"],
  cfg: ["number", 7.5],
  seed: ["integer", undefined, (value) => value >= 0 && value < 2 ** 32, "must be 0 to 4294967295; leave it out for any"],
  width: ["integer", 512, isSide, "must be a multiple of 8 from 8 to 2048"],
  height: ["integer", 512, isSide, "must be a multiple of 8 from 8 to 2048"],
  scheduler: ["string", "dpm", (value) => ["dpm", "euler_a"].includes(value), "must be dpm or euler_a"],
  denoise_strength: ["number", 0.6, (value) => value >= 0 && value <= 1, "must be 0 to 1"],
  image: ["string", undefined],
  mask: ["string", undefined],
  show_diffusion_process: ["boolean", false],
  show_diffusion_stride: ["integer", 1],
  use_opencl: ["boolean", false],
};
const TYPES = {
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === "boolean",
};

const isDeep = (value, left = 64) =>
  value !== null && typeof value === "object" && (left === 0 || Object.values(value).some((one) => isDeep(one, left - 1)));

async function readRequest(body) {
  let sent;
  try {
    sent = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new Refusal(`the body must be JSON (${error.message})`);
  }
  if (sent === null || typeof sent !== "object" || Array.isArray(sent)) throw new Refusal("the body must be an object");
  if (isDeep(sent)) throw new Refusal("the body must not be nested so deeply"); // JSON.parse has no limit
  const asked = {};
  for (const [name, [type, otherwise, allowed, rule]] of Object.entries(FIELDS)) {
    asked[name] = Object.hasOwn(sent, name) ? sent[name] ?? otherwise : otherwise;
    if (asked[name] === undefined) continue;
    if (!TYPES[type](asked[name])) throw new Refusal(`${name}: must be of type ${type}`);
    if (allowed && !allowed(asked[name])) throw new Refusal(`${name}: ${rule}`);
  }
  if (asked.prompt === undefined) throw new Refusal("prompt: must be there, as a string");
  if (asked.mask !== undefined && asked.image === undefined) throw new Refusal("mask: needs an image");
  if (asked.show_diffusion_process && asked.show_diffusion_stride < 1) throw new Refusal("show_diffusion_stride: must be 1 or more");
  asked.seed ??= randomInt(2 ** 32);
  for (const name of ["image", "mask"]) {
    asked[name] = await readPicture(asked[name], asked).catch((error) => {
      throw new Refusal(`${name}: must be PNG or JPEG in base64 (${error.message})`);
    });
  }
  return asked;
}

let queue = Promise.resolve(); // one generation at a time; the others wait in a queue

async function generate(body, response, signal) {
  const asked = await readRequest(body);
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  response.flushHeaders();
  const turn = queue.then(() => signal.aborted || stream(asked, response, signal));
  queue = turn.catch(() => {});
  await turn;
  response.end();
}

async function stream(asked, response, signal) {
  const send = async (name, data) => {
    const text = `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
    if (!response.write(text)) await once(response, "drain", { signal }); // a slow client
  };
  const started = performance.now();
  const spent = () => Math.floor(performance.now() - started);
  const [begin, end] = await paint(asked);
  let first;
  for (let step = 1; step <= asked.steps; step++) {
    await sleep(Number(options["step-ms"]), undefined, { signal }); // throws where the client has hung up
    first ??= spent();
    const preview = asked.show_diffusion_process && (step - 1) % asked.show_diffusion_stride === 0;
    const image = preview ? between(begin, end, step / asked.steps).toString("base64") : undefined;
    await send("progress", { step, total_steps: asked.steps, image });
  }
  const { seed, width, height } = asked;
  const times = { generation_time_ms: spent(), first_step_time_ms: first };
  await send("complete", { image: end.toString("base64"), seed, width, height, channels: 3, ...times });
}

async function upscale(body, response, signal, headers) {
  const started = performance.now();
  const [width, height] = ["x-image-width", "x-image-height"].map((name) => {
    if (!/^[1-9][0-9]{0,4}$/.test(headers[name])) throw new Refusal(`${name}: must be an integer from 1 to 99999`);
    return Number(headers[name]);
  });
  const path = headers["x-upscaler-path"];
  if (!path) throw new Refusal("x-upscaler-path: must be there");
  if (path !== "default") throw new Refusal("x-upscaler-path: there is only the one called default", 404);
  if (!["true", "1", "false", "0"].includes(headers["x-use-opencl"] ?? "false")) {
    throw new Refusal("x-use-opencl: must be true, 1, false or 0");
  }
  if (body.length !== width * height * 3) throw new Refusal("the body must be width * height * 3 bytes of RGB");
  const large = await enlarged(body, width, height);
  response.writeHead(200, {
    "Content-Type": "image/jpeg",
    "X-Output-Width": width * 4,
    "X-Output-Height": height * 4,
    "X-Duration-Ms": Math.floor(performance.now() - started),
  });
  response.end(large);
}

async function readBody(request) {
  const pieces = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > 32 * 1024 * 1024) throw new Refusal("the body is too long", 413, { Connection: "close" });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const health = async (body, response) => response.end("ok");
const PATHS = { "/health": { GET: health, HEAD: health }, "/generate": { POST: generate }, "/upscale": { POST: upscale } };

async function serve(request, response) {
  const hungUp = new AbortController();
  response.on("close", () => hungUp.abort());
  try {
    const methods = PATHS[request.url.split("?")[0]];
    if (!methods) throw new Refusal("there is no such path", 404);
    const allow = Object.keys(methods).join(", ");
    if (!methods[request.method]) throw new Refusal(`the path takes ${allow}`, 405, { Allow: allow });
    await methods[request.method](await readBody(request), response, hungUp.signal, request.headers);
  } catch (error) {
    if (response.headersSent || hungUp.signal.aborted) return response.end();
    const { status = 500, headers, message } = error;
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    const type = status < 500 ? "request_error" : "server_error";
    response.end(JSON.stringify({ error: { message: message || "failed", type } }));
  }
}

const server = http.createServer(serve);
server.listen(Number(options.port), "127.0.0.1", () => console.log(`ready http://127.0.0.1:${server.address().port}`));
