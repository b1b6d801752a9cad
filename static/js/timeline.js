// A bar for each track, drawn only where the list is scrolled to, so that thousands cost no more than a dozen.

import { trackColour } from "./colours.js";

const ROW_PX = 18;
const BAR_PX = 10;
const DIMMED = 0.3;

export class Timeline extends EventTarget {
  #box;
  #space;
  #canvas;
  #context;
  #axis;
  #view;
  #tracks;
  #rows = [];

  /** Dispatches "go" with {track, time_s}, and "search" with the track that is clicked twice. */
  constructor(box, { space, canvas, axis, view, tracks }) {
    super();
    this.#box = box;
    this.#space = space;
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#axis = axis;
    this.#view = view;
    this.#tracks = tracks;
    box.addEventListener("scroll", () => this.draw());
    box.addEventListener("click", (event) => this.#clicked(event));
    box.addEventListener("dblclick", (event) => this.#doubleClicked(event));
    box.addEventListener("pointermove", (event) => this.#hovered(event));
    box.addEventListener("keydown", (event) => this.#keyed(event));
    view.addEventListener("change", ({ detail }) => {
      if (detail === "kind") this.refresh();
      if (detail === "followed") this.#scrollToFollowed();
      this.draw();
    });
    document.addEventListener("themechange", () => this.draw());
  }

  /** Lay the rows out again after a change of width or filter. */
  refresh() {
    const { kind } = this.#view;
    this.#rows = this.#tracks.filter((track) => !kind || track.kind === kind);
    this.#space.style.height = `${this.#rows.length * ROW_PX}px`;
    this.draw();
  }

  draw() {
    const width = this.#box.clientWidth;
    const height = Math.min(this.#box.clientHeight, this.#rows.length * ROW_PX);
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.style.height = `${height}px`;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "550 11px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    const ink = getComputedStyle(this.#canvas).color;
    const { left } = this.#axis.span;
    const first = Math.floor(this.#box.scrollTop / ROW_PX);
    const last = Math.min(this.#rows.length, Math.ceil((this.#box.scrollTop + height) / ROW_PX));
    for (let row = first; row < last; row += 1) {
      this.#drawRow(this.#rows[row], row * ROW_PX - this.#box.scrollTop, { ink, left, width });
    }
    context.globalAlpha = 1;
  }

  #drawRow(track, top, { ink, left, width }) {
    const context = this.#context;
    const { followed } = this.#view;
    const isFollowed = track.number === followed;
    const middle = top + ROW_PX / 2;
    context.fillStyle = ink;
    context.globalAlpha = isFollowed ? 0.1 : 0.04;
    if (isFollowed) context.fillRect(0, top, width, ROW_PX);
    else context.fillRect(left, middle - BAR_PX / 2, width - left, BAR_PX);
    context.globalAlpha = followed === null || isFollowed ? 0.85 : 0.5;
    context.fillText(String(track.number), left - 10, middle);
    context.globalAlpha = followed === null || isFollowed ? 1 : DIMMED;
    context.fillStyle = trackColour(track.number);
    const start = this.#axis.x(track.first_s);
    const length = Math.max(3, this.#axis.x(track.last_s) - start);
    context.beginPath();
    context.roundRect(Math.min(start, width - 3), middle - BAR_PX / 2, length, BAR_PX, 3);
    context.fill();
  }

  #trackAt(event) {
    const y = event.clientY - this.#box.getBoundingClientRect().top + this.#box.scrollTop;
    return this.#rows[Math.floor(y / ROW_PX)] ?? null;
  }

  #clicked(event) {
    const track = this.#trackAt(event);
    if (!track) return;
    const time_s = this.#axis.timeAt(event);
    const isOnBar = time_s !== null && time_s >= track.first_s && time_s <= track.last_s;
    this.#go(track, isOnBar ? time_s : track.first_s);
  }

  #doubleClicked(event) {
    const track = this.#trackAt(event);
    if (track) this.dispatchEvent(new CustomEvent("search", { detail: track }));
  }

  #hovered(event) {
    const track = this.#trackAt(event);
    this.#canvas.title = track ? String(track.number) : "";
  }

  #keyed(event) {
    const at = this.#rows.findIndex((track) => track.number === this.#view.followed);
    const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? this.#rows.length - 1 : at - 1, Home: 0, End: this.#rows.length - 1 }[event.key];
    if (next !== undefined && this.#rows.length) {
      event.preventDefault();
      this.#view.follow(this.#rows[Math.min(this.#rows.length - 1, Math.max(0, next))].number);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      this.#go(this.#rows[at], this.#rows[at].first_s);
    }
  }

  #go(track, time_s) {
    this.dispatchEvent(new CustomEvent("go", { detail: { track, time_s } }));
  }

  #scrollToFollowed() {
    const row = this.#rows.findIndex((track) => track.number === this.#view.followed);
    if (row < 0) return;
    const top = row * ROW_PX;
    if (top < this.#box.scrollTop) this.#box.scrollTop = top;
    else if (top + ROW_PX > this.#box.scrollTop + this.#box.clientHeight) this.#box.scrollTop = top + ROW_PX - this.#box.clientHeight;
  }
}
