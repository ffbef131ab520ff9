// A client of the Local Dream API in one file, to copy: for browsers, Node 18 and newer, Deno and Bun; no dependency.
//
//   const picture = await generate("http://127.0.0.1:8081", { prompt: "a red house", steps: 8 },
//                                  { onProgress: ({ step, total_steps }) => console.log(step, total_steps) });
//   const jpeg = await upscale("http://127.0.0.1:8081", picture, "upscaler.bin");
//
// To cancel, abort the signal of an AbortController: the connection is closed, and the server is free again.
// Both throw LocalDreamError, whose message is for people; `status` is there where the server refused (503: busy).

export class LocalDreamError extends Error {
  constructor(message, status) {
    super(message);
    this.name = "LocalDreamError";
    this.status = status;
  }
}

// The picture: { rgb: Uint8Array, width, height, seed }. onProgress gets { step, total_steps, preview }, where preview
// is raw RGB or undefined. A busy server is asked again `retries` times.
export async function generate(url, request, { onProgress, signal, retries = 3, headers = {} } = {}) {
  const response = await post(`${url}/generate`, JSON.stringify(request), {
    signal, retries, headers: { "Content-Type": "application/json", ...headers },
  });
  try {
    for await (const { name, data } of events(response.body)) {
      if (name === "progress") {
        const { step, total_steps, image } = JSON.parse(data);
        onProgress?.({ step, total_steps, preview: image === undefined ? undefined : bytes(image) });
      } else if (name === "error") {
        throw new LocalDreamError(JSON.parse(data).message);
      } else if (name === "complete") {
        const { image, width, height, seed } = JSON.parse(data);
        const rgb = bytes(image);
        if (rgb.length !== width * height * 3) throw new Error("the picture has not the size that the server says");
        return { rgb, width, height, seed };
      }
    }
  } catch (error) {
    throw understood(error, signal);
  }
  throw new LocalDreamError("the stream ended without a picture");
}

// A JPEG of four times the size, as a Uint8Array. `upscaler` is the path of a model on the server.
export async function upscale(url, { rgb, width, height }, upscaler, { signal, retries = 3, headers = {} } = {}) {
  const response = await post(`${url}/upscale`, rgb, {
    signal, retries,
    headers: {
      "Content-Type": "application/octet-stream",
      "X-Image-Width": String(width),
      "X-Image-Height": String(height),
      "X-Upscaler-Path": String.fromCharCode(...new TextEncoder().encode(upscaler)), // UTF-8, a byte each
      ...headers,
    },
  });
  return new Uint8Array(await response.arrayBuffer());
}

// The events of a stream, however its bytes are cut: { name, data } each.
export async function* events(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let name = "";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // what has no blank line after it is not an event
      const pieces = (text + decoder.decode(value, { stream: true })).split("\n");
      text = pieces.pop();
      for (const piece of pieces) {
        const line = piece.replace(/\r$/, "");
        if (line === "") {
          if (data.length) yield { name: name || "message", data: data.join("\n") };
          name = "";
          data = [];
        } else if (!line.startsWith(":")) {
          const [, field, content] = /^([^:]*):? ?(.*)$/s.exec(line);
          if (field === "event") name = content;
          if (field === "data") data.push(content);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // leaving early closes the connection
  }
}

async function post(url, body, { signal, retries, headers }) {
  for (let left = retries; ; left -= 1) {
    let response;
    try {
      response = await fetch(url, { method: "POST", headers, body, signal });
    } catch (error) {
      throw understood(error, signal);
    }
    if (response.ok) return response;
    const answer = await response.json().catch(() => ({}));
    if (response.status !== 503 || left === 0) {
      throw new LocalDreamError(answer.error?.message ?? `status ${response.status}`, response.status);
    }
    const asked = response.headers.get("Retry-After");
    const seconds = /^\d+$/.test(asked ?? "") ? Math.min(30, Number(asked)) : 1;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    signal?.throwIfAborted();
  }
}

function understood(error, signal) {
  if (error instanceof LocalDreamError || signal?.aborted) return error;
  return new LocalDreamError(`the server cannot be understood: ${error.message}`);
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
