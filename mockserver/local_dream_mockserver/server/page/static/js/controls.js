// One control for each kind of field. All have the same shape: element, value (null: left out), set(value), refuse(why).

import { el, icon } from "./dom.js";

/** The control that fits a field of the contract. */
export function controlOf(field, changed) {
  if (field.kind === "boolean") return new Switch(field, changed);
  if (field.options.length) return new Choice(field, changed);
  if (field.isNumber) return new NumberInput(field, changed);
  if (field.isPicture) return new FileInput(field, changed);
  if (field.arePictures) return new FilesInput(field, changed);
  return !field.isHeader && (field.default === "" || field.required) ? new TextArea(field, changed) : new TextLine(field, changed);
}

class Control {
  constructor(field, changed) {
    this.field = field;
    this.changed = changed;
    this.id = `f-${field.name}`;
    this.error = el("p", { class: "error-text", id: `${this.id}-error`, hidden: true });
    this.hint = el("p", { class: "hint", id: `${this.id}-hint` }, field.range || field.description);
  }

  /** What describes the input to a screen reader. */
  get described() {
    return { "aria-describedby": `${this.id}-hint ${this.id}-error` };
  }

  get label() {
    return el("label", { for: this.id, title: [this.field.description, this.field.ids.join(", ")].filter(Boolean).join("\n") }, this.field.label);
  }

  /** Label, input, hint and error, as one field of the form. */
  made(kind, ...inputs) {
    return el("div", { class: `field ${kind}` }, this.label, ...inputs, this.hint, this.error);
  }

  /** Says under the control what is wrong, or takes it back ("" ). */
  refuse(why) {
    this.error.textContent = why && `${this.field.label} ${why}.`;
    this.error.hidden = !why;
    this.input.setAttribute("aria-invalid", why ? "true" : "false");
  }

  touched() {
    this.refuse("");
    this.changed();
  }
}

class TextArea extends Control {
  constructor(field, changed) {
    super(field, changed);
    this.input = el("textarea", {
      id: this.id, name: field.name, rows: field.required ? 4 : 2, spellcheck: "true",
      placeholder: field.example ?? field.description, required: field.required, ...this.described, on: { input: () => this.touched() },
    });
    this.hint.textContent = field.description;
    this.hint.classList.add("sr");
    this.element = this.made(field.required ? "text main" : "text", this.input);
  }

  get value() {
    return this.input.value === "" && !this.field.required ? null : this.input.value;
  }

  set(value) {
    this.input.value = value ?? "";
  }
}

class TextLine extends Control {
  constructor(field, changed) {
    super(field, changed);
    this.input = el("input", {
      id: this.id, name: field.name, type: "text", placeholder: "not sent", ...this.described, on: { input: () => this.touched() },
    });
    this.element = this.made("plain", this.input);
  }

  get value() {
    return this.input.value.trim() || null;
  }

  set(value) {
    this.input.value = value ?? "";
  }
}

// The slider is a convenience around the default; the box beside it takes all that the contract allows.
const REACH = 2.5;

class NumberInput extends Control {
  constructor(field, changed) {
    super(field, changed);
    const step = field.multipleOf ?? (field.kind === "integer" ? 1 : 0.05);
    this.input = el("input", {
      id: this.id, name: field.name, type: "number", inputmode: field.kind === "integer" ? "numeric" : "decimal",
      min: field.minimum, max: field.maximum, step: field.kind === "integer" ? step : "any",
      placeholder: field.name === "seed" ? "random" : "not sent", ...this.described,
      on: { input: () => { this._slide(); this.touched(); } },
    });
    this.element = field.default === null ? this.made("plain", this.input) : this.made("number", this._slider(step), this.input);
    if (field.name === "seed") this.input.after(el("button", {
      type: "button", class: "quiet", title: "Leave the seed out: the server picks one", "aria-label": "Random seed",
      on: { click: () => { this.set(null); this.touched(); } },
    }, icon("dice")));
    this.set(field.default);
  }

  get value() {
    if (this.input.value === "") return this.input.validity.badInput ? NaN : null;
    return Number(this.input.value);
  }

  set(value) {
    this.input.value = value ?? "";
    this._slide();
  }

  _slider(step) {
    const { minimum, maximum, default: usual, label } = this.field;
    const rounded = (number) => Math.round(number / step) * step;
    this.slider = el("input", {
      type: "range", "aria-label": `${label}, slider`, tabindex: "-1", min: minimum ?? 0,
      max: maximum ?? Math.max(step, rounded(usual * REACH)), step,
      on: { input: () => { this.input.value = String(Number(Number(this.slider.value).toFixed(4))); this.touched(); } },
    });
    return this.slider;
  }

  _slide() {
    if (this.slider) this.slider.value = this.input.value === "" ? String(this.field.default) : this.input.value;
  }
}

class Choice extends Control {
  constructor(field, changed) {
    super(field, changed);
    this.input = el("select", { id: this.id, name: field.name, ...this.described, on: { change: () => this.touched() } });
    if (field.extension) this.input.append(el("option", { value: "" }, "not sent"));
    const groups = new Map();
    for (const option of field.options) {
      const extension = field.extension ? null : field.extensionOf(option);
      if (!groups.has(extension)) {
        groups.set(extension, extension ? el("optgroup", { label: `extension ${extension}` }) : this.input);
        if (extension) this.input.append(groups.get(extension));
      }
      groups.get(extension).append(el("option", { value: option }, String(option)));
    }
    this.element = this.made("plain", this.input);
    this.set(field.default);
  }

  get value() {
    return this.input.value === "" ? null : this.field.options.find((option) => String(option) === this.input.value);
  }

  set(value) {
    this.input.value = value ?? (this.field.extension ? "" : String(this.field.default ?? this.field.options[0]));
  }
}

class Switch extends Control {
  constructor(field, changed) {
    super(field, changed);
    this.input = el("input", {
      id: this.id, name: field.name, type: "checkbox", role: "switch", ...this.described, on: { change: () => this.touched() },
    });
    this.hint.textContent = field.description;
    this.element = this.made("switch", this.input);
    this.set(field.default);
  }

  get value() {
    return this.input.checked;
  }

  set(value) {
    this.input.checked = Boolean(value ?? this.field.default);
  }
}

/** The base64 of a file. */
async function base64Of(file) {
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result)));
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(",") + 1);
}

/** A picture that is neither the source nor its mask: a field that the contract has gained. */
class FileInput extends Control {
  constructor(field, changed) {
    super(field, changed);
    this.data = null;
    this.input = el("input", {
      id: this.id, name: field.name, type: "file", accept: "image/png,image/jpeg", ...this.described,
      on: { change: () => this._read([...this.input.files]) },
    });
    this.hint.textContent = field.description;
    this.element = this.made("plain", this.input);
  }

  get value() {
    return this.data;
  }

  set(value) {
    this.data = value ?? null;
    if (!value) this.input.value = "";
  }

  async _read(files) {
    this.data = files.length ? await base64Of(files[0]) : null;
    this.touched();
  }
}

/** Several pictures. */
class FilesInput extends FileInput {
  constructor(field, changed) {
    super(field, changed);
    this.input.multiple = true;
  }

  async _read(files) {
    this.data = files.length ? await Promise.all(files.map(base64Of)) : null;
    this.touched();
  }
}
