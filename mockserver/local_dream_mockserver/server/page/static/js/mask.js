// Painting a mask: what is painted white is repainted by the server, the rest is kept.

import { announce, byId } from "./dom.js";
import { blank } from "./pictures.js";

const STEP = 0.02; // of the picture's longer side: how far an arrow key moves the brush
const TINT = "#ff3d7f";

/** Strokes in order, in shares of the picture's size, so that another size keeps them. */
export class MaskPainter {
  constructor(changed) {
    this.changed = changed;
    this.strokes = [];
    this.dialog = byId("mask-dialog");
    this.view = byId("mask-canvas");
    this.cursor = { x: 0.5, y: 0.5 };
    byId("mask-undo").addEventListener("click", () => this.undo());
    byId("mask-invert").addEventListener("click", () => this._add({ kind: "invert" }, "Inverted"));
    byId("mask-clear").addEventListener("click", () => this._add({ kind: "clear" }, "Cleared"));
    byId("mask-size").addEventListener("input", () => this._draw());
    byId("mask-done").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.changed());
    this._pointing();
    this.view.addEventListener("keydown", (event) => this._key(event));
    for (const event of ["focus", "blur"]) this.view.addEventListener(event, () => this._draw());
  }

  get isEmpty() {
    if (!this.strokes.length) return true;
    const { data } = this._layer(64, 64).getContext("2d").getImageData(0, 0, 64, 64);
    return !data.some((value, index) => index % 4 === 3 && value > 0);
  }

  clear() {
    this.strokes = [];
  }

  /** A mask that is a picture already: white is repainted. */
  restore(canvas) {
    this.strokes = [{ kind: "picture", canvas: transparent(canvas) }];
    this.changed();
  }

  /** Shows the dialog over `picture`, a canvas in the size of the result. */
  open(picture) {
    this.under = picture;
    [this.view.width, this.view.height] = [picture.width, picture.height];
    this._draw();
    this.dialog.showModal();
    this.view.focus();
  }

  undo() {
    if (this.strokes.pop()) announce("Undone");
    this._draw();
  }

  /** White on black, as the contract wants it. */
  picture({ width, height }) {
    const made = blank(width, height);
    const context = made.getContext("2d");
    context.fillRect(0, 0, width, height);
    context.drawImage(this._layer(width, height), 0, 0);
    return made;
  }

  /** Draws the mask over what `context` shows. */
  tint(context, width, height) {
    if (!this.strokes.length || !width || !height) return;
    const layer = this._layer(width, height);
    const inside = layer.getContext("2d");
    inside.globalCompositeOperation = "source-in";
    inside.fillStyle = TINT;
    inside.fillRect(0, 0, width, height);
    context.save();
    context.globalAlpha = 0.55;
    context.drawImage(layer, 0, 0);
    context.restore();
  }

  /** The mask as white where it is painted, and nothing elsewhere. */
  _layer(width, height) {
    const made = blank(width, height);
    const context = made.getContext("2d");
    context.fillStyle = context.strokeStyle = "#fff";
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) paint(context, stroke, width, height);
    return made;
  }

  _add(stroke, said) {
    this.strokes.push(stroke);
    this._draw();
    announce(said);
  }

  get _brush() {
    return { erase: byId("mask-eraser").checked, size: Number(byId("mask-size").value) / 100 };
  }

  _begin(x, y) {
    this.strokes.push({ kind: "stroke", ...this._brush, points: [[x, y]] });
    this._draw();
  }

  _pointing() {
    const view = this.view;
    const place = (event) => {
      const box = view.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    let painting = false;
    view.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      view.setPointerCapture(event.pointerId);
      painting = true;
      [this.cursor.x, this.cursor.y] = place(event);
      this._begin(...place(event));
    });
    view.addEventListener("pointermove", (event) => {
      [this.cursor.x, this.cursor.y] = place(event);
      if (painting) this.strokes.at(-1).points.push(...(event.getCoalescedEvents?.() ?? [event]).map(place));
      this._draw(true);
    });
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => { painting = false; });
    view.addEventListener("pointerleave", () => { if (!painting) this._draw(); });
  }

  _key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    const size = byId("mask-size");
    if (move) {
      const far = STEP * (event.shiftKey ? 5 : 1);
      const kept = (value) => Math.min(1, Math.max(0, value));
      this.cursor = { x: kept(this.cursor.x + move[0] * far), y: kept(this.cursor.y + move[1] * far) };
    } else if (event.key === " " || event.key === "Enter") {
      this._begin(this.cursor.x, this.cursor.y);
      announce(this._brush.erase ? "Erased" : "Painted");
    } else if (event.key === "[" || event.key === "]") {
      size.value = String(Number(size.value) + (event.key === "]" ? 2 : -2));
    } else if (event.key === "e" || event.key === "b") {
      byId(event.key === "e" ? "mask-eraser" : "mask-brush").checked = true;
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else {
      return;
    }
    event.preventDefault();
    this._draw();
  }

  _draw(hovering = false) {
    if (!this.under) return;
    const { width, height } = this.view;
    const context = this.view.getContext("2d");
    context.drawImage(this.under, 0, 0);
    this.tint(context, width, height);
    byId("mask-undo").disabled = !this.strokes.length;
    if (!hovering && document.activeElement !== this.view) return;
    const radius = (this._brush.size * Math.max(width, height)) / 2;
    for (const [colour, line] of [["#000", 3], ["#fff", 1.5]]) {
      context.beginPath();
      context.arc(this.cursor.x * width, this.cursor.y * height, radius, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = (line * width) / (this.view.clientWidth || width);
      context.stroke();
    }
  }
}

function paint(context, stroke, width, height) {
  if (stroke.kind === "clear") {
    context.clearRect(0, 0, width, height);
  } else if (stroke.kind === "invert") {
    context.globalCompositeOperation = "xor"; // over solid white: what was there goes, what was not comes
    context.fillRect(0, 0, width, height);
  } else if (stroke.kind === "picture") {
    context.drawImage(stroke.canvas, 0, 0, width, height);
  } else {
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    context.lineWidth = stroke.size * Math.max(width, height);
    context.beginPath();
    const [[x, y]] = stroke.points;
    context.moveTo(x * width, y * height);
    for (const [across, down] of stroke.points) context.lineTo(across * width, down * height);
    context.stroke();
    context.beginPath(); // a line that goes nowhere draws nothing, and a click is one
    context.arc(x * width, y * height, context.lineWidth / 2, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalCompositeOperation = "source-over";
}

/** White on black as white on nothing. */
function transparent(canvas) {
  const context = canvas.getContext("2d");
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.data.length; at += 4) {
    data.data[at + 3] = data.data[at];
    data.data.fill(255, at, at + 3);
  }
  context.putImageData(data, 0, 0);
  return canvas;
}
