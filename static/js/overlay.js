// Boxes, numbers and trails on a canvas over the video, from data, for the frame on the screen.

import { ON_TRACK, trackColour } from "./colours.js";

const TRAIL_S = 2.5;
const FOLLOWED_TRAIL_S = 8;
const DIMMED = 0.28;
const TOUCH_SLACK = 0.012;

export class Overlay extends EventTarget {
  #canvas;
  #video;
  #context;
  #player;
  #store;
  #view;
  #titleOf;
  #shown = [];
  #hasPicture = false;

  /** Dispatches "pick" with the number of the clicked track, null beside all boxes, and "draw" when `boxes` is new. */
  constructor(canvas, video, { player, store, view, titleOf }) {
    super();
    this.#canvas = canvas;
    this.#video = video;
    this.#context = canvas.getContext("2d");
    this.#player = player;
    this.#store = store;
    this.#view = view;
    this.#titleOf = titleOf;
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("click", (event) => {
      this.dispatchEvent(new CustomEvent("pick", { detail: this.#trackAt(event) }));
    });
    canvas.addEventListener("pointermove", (event) => {
      canvas.classList.toggle("is-over-box", this.#trackAt(event) !== null);
    });
  }

  /** The boxes of the frame on the screen. */
  get boxes() {
    return this.#shown;
  }

  draw() {
    const rect = this.#pictureRect();
    const context = this.#context;
    context.clearRect(0, 0, this.#canvas.clientWidth, this.#canvas.clientHeight);
    this.#store.request(this.#player.time_s);
    // Before the first picture is there, boxes would hang over nothing. Later seeks leave the last picture standing.
    this.#hasPicture ||= this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    const frame = this.#hasPicture ? this.#store.frameBefore(this.#player.sourceLimit_s) : undefined;
    this.#shown = frame?.boxes ?? [];
    if (frame) this.#drawFrame(frame, rect);
    this.dispatchEvent(new Event("draw"));
  }

  #drawFrame(frame, rect) {
    const context = this.#context;
    if (this.#view.layers.trails) this.#drawTrails(frame, rect);
    // The followed box comes last, over the others.
    const inOrder = [...frame.boxes].sort((a, b) => this.#isFollowed(a) - this.#isFollowed(b));
    for (const box of inOrder) this.#drawBox(box, rect);
    context.globalAlpha = 1;
  }

  /** Where the picture lies inside the canvas, in CSS pixels; also sizes the canvas to the screen's pixels. */
  #pictureRect() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = window.devicePixelRatio || 1;
    const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== pixelWidth || this.#canvas.height !== pixelHeight) {
      this.#canvas.width = pixelWidth;
      this.#canvas.height = pixelHeight;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    // The video element may be smaller than the stage; its picture may be smaller than the element.
    const left = this.#video.offsetLeft;
    const top = this.#video.offsetTop;
    const [outerWidth, outerHeight] = [this.#video.clientWidth, this.#video.clientHeight];
    const shape = this.#video.videoWidth / this.#video.videoHeight || outerWidth / outerHeight;
    const pictureWidth = Math.min(outerWidth, outerHeight * shape);
    const pictureHeight = pictureWidth / shape;
    return {
      x: left + (outerWidth - pictureWidth) / 2,
      y: top + (outerHeight - pictureHeight) / 2,
      width: pictureWidth,
      height: pictureHeight,
    };
  }

  #isFollowed(box) {
    return box.track === this.#view.followed;
  }

  #strength(track) {
    const { followed } = this.#view;
    return followed === null || followed === track ? 1 : DIMMED;
  }

  #drawBox(box, rect) {
    const context = this.#context;
    const x = rect.x + box.x1 * rect.width;
    const y = rect.y + box.y1 * rect.height;
    const width = (box.x2 - box.x1) * rect.width;
    const height = (box.y2 - box.y1) * rect.height;
    const isFollowed = this.#isFollowed(box);
    context.globalAlpha = this.#strength(box.track);
    if (this.#view.layers.boxes || isFollowed) {
      const lineWidth = (isFollowed ? 3 : 2) * (rect.width > 1400 ? 1.35 : 1);
      context.lineJoin = "round";
      context.strokeStyle = "rgb(0 0 0 / 55%)";
      context.lineWidth = lineWidth + 2;
      context.strokeRect(x, y, width, height);
      context.strokeStyle = trackColour(box.track);
      context.lineWidth = lineWidth;
      context.strokeRect(x, y, width, height);
    }
    if (this.#view.layers.numbers || isFollowed) this.#drawLabel(box, x, y, rect, isFollowed);
  }

  #drawLabel(box, x, y, rect, isFollowed) {
    const context = this.#context;
    const size = Math.max(11, Math.min(18, rect.height / 42));
    const text = isFollowed ? this.#titleOf(box.track) : String(box.track);
    context.font = `650 ${size}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    const width = context.measureText(text).width + size * 0.7;
    const height = size * 1.4;
    const left = Math.max(rect.x, Math.min(x - 1, rect.x + rect.width - width));
    const top = y - height >= rect.y ? y - height : y;
    context.fillStyle = trackColour(box.track);
    context.beginPath();
    context.roundRect(left, top, width, height, 3);
    context.fill();
    context.fillStyle = ON_TRACK;
    context.fillText(text, left + size * 0.35, top + height / 2 + size * 0.06);
  }

  /** Foot points of the last seconds, of the tracks that are in the picture. */
  #drawTrails(frame, rect) {
    const { followed } = this.#view;
    const paths = new Map(frame.boxes.map((box) => [box.track, []]));
    for (const past of this.#store.framesBack(this.#player.sourceLimit_s)) {
      if (!past) break;
      const age_s = frame.pts_s - past.pts_s;
      if (age_s > (paths.has(followed) ? FOLLOWED_TRAIL_S : TRAIL_S)) break;
      for (const box of past.boxes) {
        if (age_s > TRAIL_S && box.track !== followed) continue;
        paths.get(box.track)?.push([rect.x + ((box.x1 + box.x2) / 2) * rect.width, rect.y + box.y2 * rect.height]);
      }
    }
    const context = this.#context;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const [track, path] of paths) {
      if (path.length < 2) continue;
      context.globalAlpha = this.#strength(track) * 0.9;
      context.beginPath();
      for (const [x, y] of path) context.lineTo(x, y);
      context.strokeStyle = "rgb(0 0 0 / 45%)";
      context.lineWidth = 4;
      context.stroke();
      context.strokeStyle = trackColour(track);
      context.lineWidth = 2.5;
      context.stroke();
    }
  }

  /** The smallest box under the pointer, null where there is none. */
  #trackAt(event) {
    const bounds = this.#canvas.getBoundingClientRect();
    const rect = this.#pictureRect();
    const x = (event.clientX - bounds.left - rect.x) / rect.width;
    const y = (event.clientY - bounds.top - rect.y) / rect.height;
    const slack = event.pointerType === "touch" ? TOUCH_SLACK : 0;
    let best = null;
    let bestArea = Infinity;
    for (const box of this.#shown) {
      const isInside = x >= box.x1 - slack && x <= box.x2 + slack && y >= box.y1 - slack && y <= box.y2 + slack;
      const area = (box.x2 - box.x1) * (box.y2 - box.y1);
      if (isInside && area < bestArea) {
        best = box.track;
        bestArea = area;
      }
    }
    return best;
  }
}
