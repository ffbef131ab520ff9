// Shows the contract in Swagger UI: each operation with its requirements, and asked of this page's own server.
"use strict";

const HERE = new URL(".", location.href).href.replace(/\/$/, "");

/** Requirements as a table in Markdown, those of the core first. */
function table(requirements, title) {
  const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const rows = requirements.map(({ id, level, profile, text }) => `| **${id}** | ${level} | ${profile} | ${cell(text)} |`);
  return `\n\n**${title}**\n\n| id | level | profile | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

/** The document with what stands in extensions of OpenAPI written where people read it. */
function readable(document) {
  const root = table(document["x-requirements"] ?? [], "Requirements of the server as a whole");
  document.info.description += `\n\n<details><summary>Requirements of the server as a whole</summary>${root}\n</details>\n`;
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) described(operation);
  }
  for (const name of ["GenerateRequest", "GenerateExtensions"]) {
    for (const field of Object.values(document.components.schemas[name].properties)) {
      const ids = [...new Set(Object.values(field["x-requirement-ids"] ?? {}))];
      const extension = field["x-extension"] ? ` Extension ${field["x-extension"]}.` : "";
      field.description = `${(field.description ?? "").trim()}${extension} (${ids.join(", ")})`;
    }
  }
  document.servers = [{ url: HERE, description: "This page's own server" }];
  delete document.jsonSchemaDialect; // it is the usual one, and Swagger UI warns of any
  return document;
}

function described(operation) {
  const own = operation["x-requirements"] ?? [];
  if (own.length) operation.description = (operation.description ?? "") + table(own, `Requirements (${own.length})`);
  operation.tags = [own.length && own.every(({ profile }) => profile.startsWith("extension:")) ? "Extensions" : "Core"];
  for (const answer of Object.values(operation.responses ?? {})) {
    for (const media of Object.values(answer.content ?? {})) media.schema ??= media.itemSchema;
  }
}

/** The colours that were chosen on the page at /, else those of the system. */
function colours() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("local-dream-theme");
  } catch { /* a browser that keeps nothing */ }
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = () => document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : system.matches);
  system.addEventListener("change", show);
  show();
}

async function start() {
  colours();
  const answer = await fetch("openapi.json");
  window.SwaggerUIBundle({
    spec: readable(await answer.json()),
    dom_id: "#docs",
    deepLinking: true,
    validatorUrl: null,
    queryConfigEnabled: false,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 3,
    tryItOutEnabled: true,
    requestSnippetsEnabled: false,
    layout: "BaseLayout",
    presets: [window.SwaggerUIBundle.presets.apis],
  });
}

start();
