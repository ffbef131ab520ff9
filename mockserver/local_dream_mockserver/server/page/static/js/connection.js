// Which server is asked: this one, another one by its address, or the one behind this one's pass-through.

import { byId } from "./dom.js";
import { Server, THROUGH } from "./server.js";

const EVERY = 15_000; // milliseconds between two looks at its health
const WORDS = { true: "ready", false: "not healthy", null: "no answer" };

export class Connection {
  /** `changed` is called when another server was chosen. */
  constructor(about, changed) {
    this.about = about;
    this.tokens = new Map();
    this.server = new Server();
    this.changed = changed;
    const target = byId("through");
    target.hidden = !about.target;
    byId("through-name").textContent = about.target ?? "";
    byId("server-button").addEventListener("click", () => this._open());
    byId("server-cancel").addEventListener("click", () => byId("server-dialog").close());
    byId("server-form").addEventListener("submit", (event) => { event.preventDefault(); this._choose(); });
    for (const radio of document.querySelectorAll("[name=server]")) radio.addEventListener("change", () => this._fields());
    if (about.token) byId("own-note").textContent = "It asks for a token.";
    setInterval(() => { if (!document.hidden) this.look(); }, EVERY);
    this._name();
  }

  /** Looks whether the server runs, and says so in the header. */
  async look() {
    const { server } = this;
    const healthy = await server.health(AbortSignal.timeout(10_000));
    if (server !== this.server) return;
    byId("server-button").dataset.health = WORDS[healthy];
    byId("server-health").textContent = WORDS[healthy];
  }

  _open() {
    const { server } = this;
    const kind = server.isOwn ? "own" : server.address === THROUGH ? "through" : "other";
    byId(`server-${kind}`).checked = true;
    if (kind === "other") byId("server-address").value = server.address;
    byId("server-token").value = server.token;
    byId("server-problem").hidden = true;
    this._fields();
    byId("server-dialog").showModal();
  }

  get _chosen() {
    return document.querySelector("[name=server]:checked").value;
  }

  _fields() {
    byId("address-field").hidden = this._chosen !== "other";
    byId("own-token-field").hidden = !(this._chosen === "through" && this.about.token);
    byId("server-token").value = this.tokens.get(this._key()) ?? "";
  }

  _key() {
    return this._chosen === "other" ? byId("server-address").value.trim() : this._chosen;
  }

  _choose() {
    let address = { own: "", through: THROUGH, other: byId("server-address").value.trim() }[this._chosen];
    if (this._chosen === "other") {
      const problem = addressProblem(address);
      byId("server-problem").textContent = problem;
      byId("server-problem").hidden = !problem;
      if (problem) return byId("server-address").focus();
      address = new URL(address.includes("://") ? address : `http://${address}`).href.replace(/\/+$/, "");
    }
    const token = byId("server-token").value.trim();
    this.tokens.set(this._key(), token);
    this.server = new Server(address, token, byId("own-token").value.trim() || this.tokens.get("own"));
    byId("server-dialog").close();
    this._name();
    this.changed();
    return undefined;
  }

  _name() {
    const { server } = this;
    const name = server.isOwn ? this.about.model ?? "This server" : server.address === THROUGH ? this.about.target : server.address;
    byId("server-name").textContent = name.replace(/^https?:\/\//, "");
    byId("server-health").textContent = "…";
    byId("server-button").dataset.health = "";
    this.look();
  }
}

function addressProblem(text) {
  try {
    const url = new URL(text.includes("://") ? text : `http://${text}`);
    if (!["http:", "https:"].includes(url.protocol) || !url.hostname || /[%\s]/.test(text)) throw new Error();
    return url.username || url.search || url.hash ? "Give the server alone, such as http://127.0.0.1:8081." : "";
  } catch {
    return "That is no address of a server; give one such as http://127.0.0.1:8081.";
  }
}
