// A stand-in for an engine. Its pictures are synthetic: sixteen colours that follow from the request.
// Pictures are Buffers of raw RGB.
import { createHash } from "node:crypto";
import sharp from "sharp";

// A picture from a field, scaled and cropped to the size. No text, no picture.
export async function readPicture(text, { width, height }) {
  if (text === undefined) return undefined;
  const data = Buffer.from(text, "base64");
  if (data.toString("base64") !== text) throw new Error("not base64"); // Buffer skips what it does not know
  const { format } = await sharp(data).metadata();
  if (format !== "png" && format !== "jpeg") throw new Error(`it is ${format}`);
  return sharp(data).removeAlpha().toColourspace("srgb").resize(width, height).raw().toBuffer();
}

// A picture that depends on every part of `about`: sixteen colours, enlarged.
function painting(about, { width, height }) {
  const colours = createHash("sha512").update(JSON.stringify(about)).digest().subarray(0, 48);
  const raw = { width: 4, height: 4, channels: 3 };
  return sharp(colours, { raw }).resize(width, height, { fit: "fill" }).raw().toBuffer();
}

// The picture on the way from one to another: share 0 is the one, share 1 the other; with a mask, black keeps the one.
export function between(one, other, share, mask) {
  return one.map((value, i) => Math.round(value + (other[i] - value) * share * (mask ? mask[i] / 255 : 1)));
}

// The pictures where the denoising begins and where it ends.
export async function paint(asked) {
  const { prompt, negative_prompt, seed, cfg, steps, scheduler, image, mask } = asked;
  const end = await painting([prompt, negative_prompt, seed, cfg, steps, scheduler], asked);
  if (!image) return [await painting(["noise", seed], asked), end];
  return [image, between(image, end, asked.denoise_strength, mask)];
}

// Raw RGB as a JPEG of four times the size.
export function enlarged(rgb, width, height) {
  const small = sharp(rgb, { raw: { width, height, channels: 3 } });
  return small.resize(width * 4, height * 4).jpeg({ quality: 95 }).toBuffer();
}
