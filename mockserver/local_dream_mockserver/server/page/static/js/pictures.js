// Pictures between base64, bytes and canvas.

const MAGIC = { jpeg: [0xff, 0xd8, 0xff], png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] };
const PIECE = 0x8000;

/** What is wrong with text that must be base64: standard alphabet, padded, on one line; "" where nothing is. */
export function base64Problem(text) {
  if (!text) return "the base64 is empty";
  const core = text.replace(/=+$/, "");
  const bad = /[^A-Za-z0-9+/]/.exec(core);
  if (bad) return `not base64 at character ${bad.index}: ${JSON.stringify(bad[0])}`;
  const padding = text.length - core.length;
  if (core.length % 4 === 1 || padding !== (4 - (core.length % 4)) % 4) return `base64 padded with ${padding} "="`;
  return "";
}

/** The bytes of base64. */
export function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** Bytes as base64. */
export function base64Of(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary);
}

/** "jpeg" or "png" by the first bytes, null where they are of neither. */
export function kindOf(bytes) {
  const found = Object.entries(MAGIC).find(([, magic]) => magic.every((byte, index) => bytes[index] === byte));
  return found ? found[0] : null;
}

/** Width and height that the head of a PNG or JPEG says, and the channels of a JPEG; null where there are none. */
export function sizeOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kindOf(bytes) === "png" && bytes.length >= 24) return { width: view.getUint32(16), height: view.getUint32(20) };
  if (kindOf(bytes) !== "jpeg") return null;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1; // a fill byte
    } else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5), channels: bytes[at + 9] };
    } else {
      at += 2 + view.getUint16(at + 2);
    }
  }
  return null;
}

/** Raw RGB, row by row, as ImageData. */
export function imageDataOf(rgb, width, height) {
  const data = new ImageData(width, height);
  const pixels = data.data;
  for (let from = 0, to = 0; from < width * height * 3; from += 3, to += 4) {
    pixels[to] = rgb[from];
    pixels[to + 1] = rgb[from + 1];
    pixels[to + 2] = rgb[from + 2];
    pixels[to + 3] = 255;
  }
  return data;
}

/** The picture of an event on a canvas of its own; null where its bytes are none. Raw ones have `size`. */
export async function canvasOf(payload, size) {
  if (typeof payload.image !== "string" || base64Problem(payload.image)) return null;
  const bytes = bytesOf(payload.image);
  const kind = payload.format === undefined || payload.format === "raw" ? null : payload.format;
  if (kind === null) {
    const { width, height } = size;
    if (!(width > 0 && height > 0) || bytes.length !== width * height * 3) return null;
    const canvas = blank(width, height);
    canvas.getContext("2d").putImageData(imageDataOf(bytes, width, height), 0, 0);
    return canvas;
  }
  try {
    return drawn(await createImageBitmap(new Blob([bytes], { type: `image/${kind}` })));
  } catch {
    return null;
  }
}

/** A bitmap on a canvas of its own size. */
export function drawn(bitmap) {
  const canvas = blank(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return canvas;
}

/** An empty canvas. */
export function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** A picture in another size: it covers that size, and what sticks out is cut off evenly. Transparent parts are white. */
export function covering(canvas, { width, height }) {
  const made = blank(width, height);
  const context = made.getContext("2d");
  const scale = Math.max(width / canvas.width, height / canvas.height);
  const [across, down] = [canvas.width * scale, canvas.height * scale];
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, (width - across) / 2, (height - down) / 2, across, down);
  return made;
}

/** The pixels of a canvas as raw RGB. */
export function rgbOf(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const rgb = new Uint8Array(canvas.width * canvas.height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return rgb;
}

/** A canvas as the bytes of a PNG. */
export async function pngOf(canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new Uint8Array(await blob.arrayBuffer());
}
