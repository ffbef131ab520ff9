// The 4x upscale of the picture on the stage.

import { controlOf } from "./controls.js";
import { byId } from "./dom.js";
import { refusal } from "./generation.js";
import { judgeUpscale } from "./judge_errors.js";
import { rgbOf } from "./pictures.js";

const FROM_PICTURE = ["X-Image-Width", "X-Image-Height"];
// Servers name their models as they like; ours take this for the first one. Phones want the path of a file.
const BEGINS_WITH = { "X-Upscaler-Path": "default" };

export class Upscaling {
  constructor(contract) {
    this.controls = contract.upscale.filter((field) => !FROM_PICTURE.includes(field.name)).map((field) => {
      const control = controlOf(field, () => {});
      control.set(BEGINS_WITH[field.name] ?? field.default);
      byId("upscale-fields").append(control.element);
      return control;
    });
  }

  /** Whether the headers can be sent; says at the controls what is wrong. */
  check() {
    return this.controls.map((control) => {
      const why = control.value === null && control.field.required ? "is needed" : "";
      control.refuse(why);
      return !why;
    }).every(Boolean);
  }

  /** The enlarged picture: {url, blob, width, height, milliseconds, findings}. Raises Refused, Unreachable, AbortError. */
  async enlarge(server, canvas, signal) {
    const headers = { "X-Image-Width": String(canvas.width), "X-Image-Height": String(canvas.height) };
    for (const { field, value } of this.controls) {
      if (value !== null && value !== field.default) headers[field.name] = String(value);
    }
    const began = performance.now();
    const response = await server.upscale(rgbOf(canvas), headers, signal);
    if (response.status !== 200) throw await refusal(response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const waited = performance.now() - began;
    const findings = judgeUpscale(response.headers, bytes, canvas, waited);
    const blob = new Blob([bytes], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(blob).catch(() => null);
    const said = Number(response.headers.get("x-duration-ms") ?? NaN);
    return {
      url: bitmap && URL.createObjectURL(blob), blob, width: bitmap?.width ?? 0, height: bitmap?.height ?? 0,
      milliseconds: Number.isFinite(said) ? said : waited, findings,
    };
  }
}
