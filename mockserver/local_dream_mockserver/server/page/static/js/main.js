// Puts the page together: what is asked for goes from the form to the server, and what comes goes to stage and wire.

import { Connection } from "./connection.js";
import { loadContract } from "./contract.js";
import { announce, byId, download } from "./dom.js";
import { Form } from "./form.js";
import { generate } from "./generation.js";
import { History } from "./history.js";
import { integer } from "./judge.js";
import { canvasOf } from "./pictures.js";
import { RequestView } from "./request_view.js";
import { Refused, Unreachable } from "./server.js";
import { Source } from "./source.js";
import { Stage } from "./stage.js";
import { tabs } from "./tabs.js";
import { themeButton } from "./theme.js";
import { Upscaling } from "./upscaling.js";
import { Wire } from "./wire.js";

const NARROW = matchMedia("(max-width: 60rem)"); // as in page.css: there the picture is below the form

class Studio {
  constructor(contract, about) {
    this.contract = contract;
    this.running = null; // the AbortController of the request under way
    this.stage = new Stage();
    this.wire = new Wire(contract);
    this.request = new RequestView();
    this.upscaling = new Upscaling(contract);
    this.source = new Source(() => this.changed(), (line) => this.stage.fail("Not a picture", line));
    this.form = new Form(contract, this.source, () => this.changed());
    this.source.size = () => this.form.size();
    this.history = new History((entry) => this.recall(entry));
    this.connection = new Connection(about, () => this.changed());
    this._listen();
    this.changed();
  }

  get server() {
    return this.connection.server;
  }

  _listen() {
    byId("compose").addEventListener("submit", (event) => { event.preventDefault(); this.paint(); });
    byId("cancel").addEventListener("click", () => this.running?.abort());
    byId("upscale").addEventListener("click", () => this.enlarge());
    byId("use").addEventListener("click", () => this.source.set(this.stage.result.canvas));
    byId("keep-seed").addEventListener("click", () => {
      this.form.controls.get("seed").set(this.stage.result.seed);
      this.changed();
      announce(`Seed ${this.stage.result.seed} is kept`);
    });
    byId("save").addEventListener("click", () => this.save());
    byId("problem-close").addEventListener("click", () => { byId("problem").hidden = true; });
    byId("all-fields").addEventListener("change", () => this.changed());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) this.paint();
      if (event.key === "Escape" && this.running && !document.querySelector("dialog[open]")) this.running.abort();
    });
  }

  /** Something in the form has changed: the request, as it would be sent, is shown anew. */
  async changed() {
    if (!this.form) return; // still being put together
    this.stage.shape(this.form.size());
    const turn = this.turn = {};
    const values = await this.form.values(byId("all-fields").checked);
    if (turn === this.turn) this.request.show(values, this.server);
  }

  async paint() {
    if (this.running || this.form.check()) return;
    await this.work("Waiting for the first step", async (signal) => {
      this.wire.clear();
      const values = await this.form.values(byId("all-fields").checked);
      const began = performance.now();
      await generate(this.server, JSON.stringify(values), this.contract.fields, signal, (message) => {
        this.wire.heard(message);
        if (message.kind === "event" && message.event.payload) this.event(message.event, values, began);
        if (message.kind === "end") this.finished = true;
        if (message.kind === "end" && message.terminal === null && message.how !== "cancelled") {
          this.stage.fail("No picture came", "The stream ended without complete or error.");
        }
      });
    });
  }

  /** One event of the stream, for those who want a picture. */
  async event({ name, payload }, values, began) {
    if (name === "progress") {
      if (integer(payload.total_steps)) this.stage.progress(payload.step, payload.total_steps);
      if (!payload.image) return;
      const { running } = this;
      const canvas = await canvasOf(payload, this.form.size());
      if (canvas && running === this.running && !this.finished) this.stage.preview(canvas);
    } else if (name === "error") {
      this.finished = true; // a preview that is still being decoded comes too late
      this.stage.fail("The server gave up", typeof payload.message === "string" ? payload.message : "It did not say why.");
    } else if (name === "complete") {
      this.finished = true;
      const canvas = await canvasOf(payload, payload);
      if (!canvas) return this.stage.fail("Not a picture", "What came in complete cannot be read; the event stream says why.");
      const result = {
        canvas, seed: integer(payload.seed), milliseconds: integer(payload.generation_time_ms),
        first: integer(payload.first_step_time_ms), waited: performance.now() - began,
      };
      this.stage.show(result);
      this.history.add({ values, result });
      announce(`Done: ${canvas.width} by ${canvas.height} pixels, seed ${result.seed}`);
    }
    return undefined;
  }

  async enlarge() {
    if (this.running || !this.upscaling.check()) return;
    const { result } = this.stage;
    await this.work("Enlarging", async (signal) => {
      const large = await this.upscaling.enlarge(this.server, result.canvas, signal);
      const breaches = large.findings.map(({ id, said }) => `${id}: ${said}`).join("\n");
      if (large.url) {
        this.stage.enlarge(large);
        announce(`Enlarged to ${large.width} by ${large.height} pixels`);
      }
      if (breaches) this.stage.fail("The answer breaks the contract", breaches);
    });
  }

  /** Does something that can be cancelled, and says on the stage how it went wrong. */
  async work(words, act) {
    this.running = new AbortController();
    this.finished = false;
    busy(true);
    this.stage.begin(words);
    if (NARROW.matches) byId("stage").scrollIntoView({ block: "nearest" });
    try {
      await act(this.running.signal);
    } catch (error) {
      this.failed(error);
    } finally {
      this.running = null;
      busy(false);
      byId("generate").focus({ preventScroll: true });
    }
  }

  failed(error) {
    if (this.running.signal.aborted) {
      this.stage.rest();
      announce("Cancelled");
    } else if (error instanceof Refused) {
      this.wire.refused(error);
      const asks = error.status === 401 ? " Its token can be given under the server's name, above." : "";
      this.stage.fail(`Status ${error.status}`, error.message + asks);
    } else if (error instanceof Unreachable) {
      this.stage.fail("No answer", error.message);
    } else {
      this.stage.fail("The page failed", String(error));
      throw error;
    }
  }

  /** Shows a picture of this session again, with the parameters that made it. */
  async recall({ values, result }) {
    if (this.running) return;
    this.form.fill(values);
    await this.source.restore(values);
    this.stage.show(result);
    this.changed();
    announce("Brought back, with its parameters");
  }

  save() {
    const { canvas, seed, large } = this.stage.result;
    const name = `local-dream-${seed ?? "picture"}`;
    if (large) download(large.blob, `${name}-4x.jpg`);
    else canvas.toBlob((blob) => download(blob, `${name}.png`), "image/png");
  }
}

/** While something runs it can be cancelled, and nothing else can begin. */
function busy(now) {
  document.body.classList.toggle("busy", now);
  byId("cancel").hidden = !now;
  for (const id of ["generate", "upscale", "use"]) byId(id).disabled = now;
}

async function start() {
  themeButton();
  tabs(byId("bench-tabs"));
  try {
    const [contract, about] = await Promise.all([loadContract(), fetch("page/about.json").then((answer) => answer.json())]);
    new Studio(contract, about);
    document.body.dataset.ready = "yes";
  } catch (error) {
    byId("broken").hidden = false;
    byId("broken").textContent = `This page cannot start: ${error.message}`;
    throw error;
  }
}

start();
