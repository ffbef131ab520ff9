// The contract (openapi.json) as the page needs it: fields of a request, parameters of /upscale, requirements by id.

const PICTURE = "base64";
const SPELT = { cfg: "CFG", opencl: "OpenCL" };

/** Reads the contract of the server that this page comes from. */
export async function loadContract() {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`the contract (openapi.json) is answered with status ${answer.status}`);
  return new Contract(await answer.json());
}

export class Contract {
  constructor(document) {
    this.document = document;
    const schemas = document.components.schemas;
    const core = schemas.GenerateRequest;
    this.fields = Object.entries(core.properties).map(([name, schema]) =>
      new Field(name, schema, (core.required ?? []).includes(name)));
    for (const [name, schema] of Object.entries(schemas.GenerateExtensions?.properties ?? {})) {
      this.fields.push(new Field(name, schema, false));
    }
    this.upscale = document.paths["/upscale"].post.parameters.map((parameter) => {
      const field = new Field(parameter.name, { ...this.resolved(parameter.schema), description: parameter.description }, parameter.required);
      field.isHeader = true;
      return field;
    });
    this.requirements = new Map();
    this._collect(document["x-requirements"]);
    for (const path of Object.values(document.paths)) {
      for (const operation of Object.values(path)) this._collect(operation["x-requirements"]);
    }
  }

  /** The field of this name, undefined where the contract has none. */
  field(name) {
    return this.fields.find((one) => one.name === name);
  }

  /** A schema with its $ref followed. */
  resolved(schema) {
    if (!schema.$ref) return schema;
    const found = schema.$ref.split("/").slice(1).reduce((node, key) => node[key], this.document);
    return { ...this.resolved(found), ...schema };
  }

  _collect(list) {
    for (const requirement of list ?? []) this.requirements.set(requirement.id, requirement);
  }
}

/** One field of a request, or one header of /upscale. */
export class Field {
  constructor(name, schema, required) {
    const kinds = [schema.type ?? "string"].flat().filter((kind) => kind !== "null");
    this.name = name;
    this.kind = kinds[0];
    this.required = Boolean(required);
    this.description = (schema.description ?? "").trim().replace(/\s+/g, " ");
    this.default = schema.default ?? null;
    this.minimum = schema.minimum ?? null;
    this.maximum = schema.maximum ?? null;
    this.multipleOf = schema.multipleOf ?? null;
    this.minLength = schema.minLength ?? 0;
    this.pattern = schema.pattern ?? null;
    this.options = (schema.enum ?? []).filter((option) => option !== null);
    this.example = schema.examples?.[0] ?? null;
    this.isHeader = false;
    this.isPicture = schema.contentEncoding === PICTURE;
    this.arePictures = schema.items?.contentEncoding === PICTURE;
    this.extension = schema["x-extension"] ?? null;
    this.ids = [...new Set(Object.values(schema["x-requirement-ids"] ?? {}))];
    this._added = schema["x-extension-values"] ?? {};
  }

  /** "negative_prompt" as "Negative prompt". */
  get label() {
    const words = this.name.split("_").map((word) => SPELT[word] ?? word).join(" ");
    return words[0].toUpperCase() + words.slice(1);
  }

  get isNumber() {
    return this.kind === "integer" || this.kind === "number";
  }

  /** The extension that has this value of an enumeration, null for those of the core. */
  extensionOf(option) {
    const found = Object.entries(this._added).find(([, values]) => values.includes(option));
    return found ? found[0] : this.extension;
  }

  /** Range and default in words, such as "1 or more, default 20". */
  get range() {
    const parts = [];
    if (this.minimum !== null && this.maximum !== null) parts.push(`${this.minimum} to ${this.maximum}`);
    else if (this.minimum !== null && this.minimum !== this.multipleOf) parts.push(`${this.minimum} or more`);
    else if (this.maximum !== null) parts.push(`${this.maximum} or less`);
    if (this.multipleOf !== null) parts.push(`multiples of ${this.multipleOf}`);
    if (this.default !== null && this.default !== "") parts.push(`default ${this.default}`);
    else if (this.isNumber) parts.push("not sent when empty");
    else if (this.example !== null && !this.required) parts.push(`for example ${this.example}`);
    return parts.join(", ");
  }

  /** What is wrong with a value that is to be sent, "" where nothing is. */
  problem(value) {
    if (typeof value === "string" && this.kind === "string") {
      if (value.length < this.minLength) return this.required ? "is needed" : "is too short";
      if (this.pattern && !new RegExp(this.pattern, "u").test(value)) return `has another form${this.example ? ` than ${this.example}` : ""}`;
    }
    if (this.isNumber) {
      if (typeof value !== "number" || !Number.isFinite(value)) return "is no number";
      if (this.kind === "integer" && !Number.isInteger(value)) return "must be a whole number";
      if (this.minimum !== null && value < this.minimum) return `must be ${this.minimum} or more`;
      if (this.maximum !== null && value > this.maximum) return `must be ${this.maximum} or less`;
      if (this.multipleOf !== null && value % this.multipleOf) return `must be a multiple of ${this.multipleOf}`;
    }
    return "";
  }
}
