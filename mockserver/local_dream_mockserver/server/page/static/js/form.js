// The form: built from the contract, so that a field which the contract gains appears by itself.

import { controlOf } from "./controls.js";
import { byId } from "./dom.js";

// What the page itself begins with where it is not the contract's default: it is here to be watched.
const BEGINS_WITH = { show_diffusion_process: true };
// Fields that the source panel makes, and where those stand that only have a meaning with a picture.
const FROM_SOURCE = ["image", "mask"];
const WITH_SOURCE = ["denoise_strength"];

export class Form {
  /** `source` gives the picture to start from and its mask; `changed` is called after each change. */
  constructor(contract, source, changed) {
    this.contract = contract;
    this.source = source;
    this.controls = new Map();
    for (const field of contract.fields) {
      if (FROM_SOURCE.includes(field.name)) continue;
      const control = controlOf(field, changed);
      if (field.name in BEGINS_WITH) control.set(BEGINS_WITH[field.name]);
      this.controls.set(field.name, control);
      this._placeOf(field).append(control.element);
      control.input.setAttribute("form", "compose");
    }
    byId("extensions").hidden = !byId("extension-fields").children.length;
  }

  /** The fields to send. Those that have their default are left out, unless `all` is asked for. */
  async values(all = false) {
    const found = {};
    for (const [name, control] of this.controls) {
      const { field } = control;
      const whole = all && !field.extension;
      const value = control.value ?? (whole ? field.default : null);
      if (WITH_SOURCE.includes(name) && !this.source.present) continue;
      if (value !== null && (whole || field.required || value !== field.default)) found[name] = value;
    }
    return { ...found, ...(await this.source.fields(this.size())) };
  }

  /** Width and height of the picture that is asked for, in pixels, with what the extensions make of them. */
  size() {
    const read = (name, otherwise) => Number(this.controls.get(name)?.value ?? otherwise) || otherwise;
    const side = read("size", 0);
    let [width, height] = side ? [side, side] : [read("width", 512), read("height", 512)];
    const ratio = /^([1-9]\d{0,4}):([1-9]\d{0,4})$/.exec(this.controls.get("aspect_ratio")?.value ?? "");
    if (ratio) {
      const [across, down] = [Number(ratio[1]), Number(ratio[2])];
      const longer = Math.max(width, height);
      const exact = Math.floor((longer * Math.min(across, down)) / Math.max(across, down));
      const shorter = Math.max(8, Math.floor(exact / 8) * 8);
      [width, height] = across >= down ? [longer, shorter] : [shorter, longer];
    }
    return { width, height };
  }

  /** Says at the controls what is wrong; the number of those. The first gets the focus. */
  check() {
    let wrong = 0;
    for (const control of this.controls.values()) {
      const { field, value } = control;
      const why = value === null && !field.required ? "" : field.problem(value);
      control.refuse(why);
      if (why && !wrong++) {
        control.element.closest("details")?.setAttribute("open", "");
        control.input.focus();
      }
    }
    return wrong;
  }

  /** Shows the fields of an earlier request: those that it left out get their defaults. */
  fill(values) {
    for (const [name, control] of this.controls) {
      const unsent = name in BEGINS_WITH && !(name in values) ? control.field.default : null;
      control.set(values[name] ?? unsent ?? control.field.default);
      control.refuse("");
    }
  }

  _placeOf(field) {
    if (field.extension) return byId("extension-fields");
    if (WITH_SOURCE.includes(field.name)) return byId("source-fields");
    if (field.kind === "string" && !field.options.length && (field.required || field.default === "")) return byId("texts");
    return field.kind === "boolean" ? byId("switches") : byId("numbers");
  }
}

/** A short text of a request, for lists: what was asked for besides the prompt. */
export function summary(values) {
  const shown = Object.entries(values).filter(([name, value]) =>
    name !== "prompt" && name !== "show_diffusion_process" && typeof value !== "object");
  return shown.map(([name, value]) => (["image", "mask"].includes(name) ? name : `${name} ${value}`)).join(", ");
}
