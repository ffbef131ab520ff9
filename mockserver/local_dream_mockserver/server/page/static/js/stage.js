// The stage: previews as they come, the picture, how far the work is, and the enlarged picture beside the small one.

import { announce, byId, secondsText } from "./dom.js";

const TOLD = 4; // times that a screen reader hears of the progress of one generation

export class Stage {
  constructor() {
    this.canvas = byId("picture");
    this.result = null; // {canvas, seed, ...}
    this.large = null;
    this.clock = null;
    byId("compare-range").addEventListener("input", (event) => this._split(event.target.value));
  }

  /** "empty", "working", "done" or "failed": what the page looks like. */
  set state(name) {
    byId("stage").dataset.state = name;
  }

  /** The shape of the picture that is asked for, shown before there is one. */
  shape({ width, height }) {
    byId("stage").style.setProperty("--ratio", String(width / height));
    if (byId("stage").dataset.state === "empty") byId("empty-size").textContent = `${width} × ${height}`;
  }

  /** A generation, or an upscale, begins. */
  begin(what) {
    this.state = "working";
    this._problem("");
    this.began = performance.now();
    this.told = 0;
    this.progress(0, 0);
    byId("work").textContent = what;
    clearInterval(this.clock);
    this.clock = setInterval(() => this._tick(), 100);
    this._tick();
    announce(what);
  }

  /** The work is at `step` of `total`; 0 of 0: nobody knows. */
  progress(step, total) {
    const bar = byId("bar");
    if (total) {
      bar.max = total;
      bar.value = step;
      byId("work").textContent = `Step ${step} of ${total}`;
      const quarter = Math.floor((TOLD * step) / total);
      if (quarter > this.told && step < total) announce(`Step ${step} of ${total}`);
      this.told = Math.max(this.told, quarter);
    } else {
      bar.removeAttribute("value");
    }
  }

  /** Shows a picture of the work so far. */
  preview(canvas) {
    this._draw(canvas);
    this._large(null);
    byId("stage").dataset.preview = "yes";
  }

  /** Shows what came out: {canvas, seed, times, ...}. */
  show(result) {
    this.stop();
    this.state = "done";
    this.result = result;
    this._draw(result.canvas);
    this._large(result.large ?? null);
    this.facts(result);
  }

  /** Shows the enlarged picture over the small one. */
  enlarge(large) {
    this.stop();
    this.state = "done";
    this.result.large = large;
    this._large(large);
    this.facts(this.result);
  }

  /** Nothing is being done any more: back to the picture before, if there is one. */
  rest() {
    this.stop();
    this.state = this.result ? "done" : "empty";
    if (this.result) this._draw(this.result.canvas);
  }

  /** Says what went wrong: a heading, and the words of the server. */
  fail(title, words) {
    this.rest();
    if (!this.result) this.state = "failed";
    this._problem(title, words);
  }

  stop() {
    clearInterval(this.clock);
    delete byId("stage").dataset.preview;
  }

  facts({ seed, canvas, milliseconds, first, waited, large }) {
    const set = (id, text) => {
      byId(id).textContent = text;
      byId(id).parentElement.hidden = !text;
    };
    set("fact-seed", seed === null ? "" : String(seed));
    set("fact-size", large ? `${large.width} × ${large.height}` : `${canvas.width} × ${canvas.height}`);
    set("fact-time", milliseconds === null ? "" : secondsText(milliseconds / 1000));
    set("fact-first", first === null ? "" : secondsText(first / 1000));
    set("fact-waited", waited === null ? "" : secondsText(waited / 1000));
    set("fact-upscale", large ? secondsText(large.milliseconds / 1000) : "");
  }

  _tick() {
    byId("elapsed").textContent = `${((performance.now() - this.began) / 1000).toFixed(1)} s`;
  }

  _draw(canvas) {
    byId("stage").style.setProperty("--ratio", String(canvas.width / canvas.height));
    [this.canvas.width, this.canvas.height] = [canvas.width, canvas.height];
    this.canvas.getContext("2d").drawImage(canvas, 0, 0);
  }

  _large(large) {
    this.large = large;
    byId("compare").hidden = !large;
    if (large) {
      byId("large").src = large.url;
      byId("compare-range").value = "50";
      this._split(50);
    } else {
      byId("large").removeAttribute("src");
    }
  }

  _split(percent) {
    byId("compare").style.setProperty("--split", `${percent}%`);
  }

  _problem(title, words = "") {
    byId("problem").hidden = !title;
    byId("problem-title").textContent = title;
    byId("problem-words").textContent = words;
  }
}
