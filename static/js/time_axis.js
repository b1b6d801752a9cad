// What the presence chart and the bars share: one axis, the ruler below it, the playhead over it.

import { duration } from "./format.js";

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600];
const PIXELS_PER_LABEL = 90;

export class TimeAxis {
  #area;
  #bars;
  #ruler;
  #playhead;

  constructor(area, { bars, ruler, playhead, duration_s }) {
    this.#area = area;
    this.#bars = bars;
    this.#ruler = ruler;
    this.#playhead = playhead;
    this.duration_s = Math.max(duration_s, 0.001);
  }

  /** Left edge and width of the axis, in CSS pixels from the left of the bars. */
  get span() {
    const gutter = parseFloat(getComputedStyle(this.#ruler).marginLeft);
    return { left: gutter, width: Math.max(1, this.#bars.clientWidth - gutter) };
  }

  x(time_s) {
    const { left, width } = this.span;
    return left + (width * time_s) / this.duration_s;
  }

  /** The time under a pointer event, null left of the axis. */
  timeAt(event) {
    const { left, width } = this.span;
    const x = event.clientX - this.#bars.getBoundingClientRect().left - left;
    return x < -4 ? null : Math.min(1, Math.max(0, x / width)) * this.duration_s;
  }

  /** Fit ruler and chart to the current width; the list's scroll bar takes a piece of it. */
  layOut() {
    this.#area.style.setProperty("--scrollbar", `${this.#bars.offsetWidth - this.#bars.clientWidth}px`);
    const { width } = this.span;
    const most = Math.max(1, Math.floor(width / PIXELS_PER_LABEL));
    const step = STEPS_S.find((candidate) => this.duration_s / candidate <= most) ?? Math.ceil(this.duration_s / most / 3600) * 3600;
    const labels = [];
    for (let time_s = 0; time_s <= this.duration_s; time_s += step) {
      const label = document.createElement("span");
      label.textContent = duration(time_s);
      if (time_s > 0.97 * this.duration_s) label.className = "is-last";
      label.style.left = `${(width * time_s) / this.duration_s}px`;
      labels.push(label);
    }
    this.#ruler.replaceChildren(...labels);
  }

  movePlayhead(time_s) {
    const offset = this.#bars.offsetLeft + this.x(Math.min(time_s, this.duration_s));
    this.#playhead.style.transform = `translateX(${offset - 1}px)`;
  }
}
