// Boxes by time: fetches ranges as they are needed, keeps the ones last used.

import { getJson } from "./api.js";

const CHUNK_S = 10;
const KEPT_CHUNKS = 90;
const RETRY_MS = 3000;

/** Turn the columnar answer into frames: {index, pts_s, boxes: [{track, x1, y1, x2, y2, score}]}. */
function framesOf({ frames, points }) {
  const list = frames.pts_s.map((pts_s, position) => ({ index: frames.first + position, pts_s, boxes: [] }));
  points.frame.forEach((frame, row) => {
    list[frame - frames.first].boxes.push({
      track: points.track[row],
      x1: points.x1[row],
      y1: points.y1[row],
      x2: points.x2[row],
      y2: points.y2[row],
      score: points.score[row],
    });
  });
  return list;
}

/** Return how many of `frames` have a time below `limit_s`. */
function countBefore(frames, limit_s) {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle].pts_s < limit_s) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class BoxesStore extends EventTarget {
  #url;
  #chunkCount;
  #chunks = new Map(); // position → frames, in order of last use
  #pending = new Map();
  #failedAt = new Map();

  /** Dispatches "load" when boxes have arrived and "error" with an ApiError as detail. */
  constructor(url, duration_s) {
    super();
    this.#url = url;
    this.#chunkCount = Math.max(1, Math.ceil((duration_s + 1) / CHUNK_S));
  }

  /** Make sure that the boxes around `time_s` are here or on their way. */
  request(time_s) {
    const position = Math.max(0, Math.floor(time_s / CHUNK_S));
    for (const wanted of [position, position + 1]) this.#load(wanted);
    // Trails reach back across the border.
    if (time_s % CHUNK_S < 3) this.#load(position - 1);
  }

  /** Return the frames with times below `limit_s`, last first; undefined is yielded where they are not loaded. */
  *framesBack(limit_s) {
    for (let position = Math.floor(limit_s / CHUNK_S); position >= 0; position -= 1) {
      if (position >= this.#chunkCount) continue;
      const frames = this.#chunks.get(position);
      if (!frames) {
        this.#load(position);
        yield undefined;
        return;
      }
      for (let row = countBefore(frames, limit_s) - 1; row >= 0; row -= 1) yield frames[row];
    }
  }

  /** Return the last frame with a time below `limit_s`; null where there is none, undefined while loading. */
  frameBefore(limit_s) {
    const { done, value } = this.framesBack(limit_s).next();
    return done ? null : value;
  }

  async #load(position) {
    if (position < 0 || position >= this.#chunkCount || this.#pending.has(position)) return;
    const known = this.#chunks.get(position);
    if (known) {
      this.#chunks.delete(position);
      this.#chunks.set(position, known);
      return;
    }
    if (performance.now() - (this.#failedAt.get(position) ?? -RETRY_MS) < RETRY_MS) return;
    const query = new URLSearchParams({ from_s: position * CHUNK_S, to_s: (position + 1) * CHUNK_S });
    this.#pending.set(position, true);
    try {
      this.#chunks.set(position, framesOf(await getJson(`${this.#url}?${query}`)));
      for (const oldest of this.#chunks.keys()) {
        if (this.#chunks.size <= KEPT_CHUNKS) break;
        this.#chunks.delete(oldest);
      }
      this.dispatchEvent(new Event("load"));
    } catch (error) {
      this.#failedAt.set(position, performance.now());
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
    } finally {
      this.#pending.delete(position);
    }
  }
}
