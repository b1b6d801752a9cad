// How many people and vehicles are in the picture over time.

import { duration } from "./format.js";
import { t } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** The outline of a step chart: bins left to right, counts upwards. */
function steps(counts, top) {
  return counts.map((count, bin) => `${bin ? "L" : "M"}${bin} ${top - count}H${bin + 1}`).join("");
}

/** Round numbers for the scale: 0, something in the middle, the top. */
function ticksFor(most) {
  const top = most <= 4 ? Math.max(1, most) : Math.ceil(most / 2) * 2;
  return most <= 1 ? [0, top] : [0, Math.floor(top / 2), top];
}

export class Presence extends EventTarget {
  #data;

  /** Dispatches "go" with a time in seconds. */
  constructor(place, { data, axis, readout, legendVehicle }) {
    super();
    this.#data = data;
    const most = Math.max(1, ...data.person, ...data.vehicle);
    const ticks = ticksFor(most);
    const top = ticks.at(-1);
    const hasVehicles = data.vehicle.some((count) => count > 0);
    legendVehicle.hidden = !hasVehicles;
    place.setAttribute("aria-label", t("presence.most", { most: Math.max(0, ...data.person) }));
    // The last bin may reach past the end of the axis.
    const svg = shape("svg", { viewBox: `0 0 ${axis.duration_s / data.bin_s} ${top}`, preserveAspectRatio: "none" });
    for (const tick of ticks) svg.append(shape("path", { class: "grid", d: `M0 ${top - tick}H${data.person.length}` }));
    const outline = steps(data.person, top);
    if (outline) {
      svg.append(shape("path", { class: "area-person", d: `${outline}V${top}H0Z` }), shape("path", { class: "line-person", d: outline }));
    }
    if (hasVehicles) svg.append(shape("path", { class: "line-vehicle", d: steps(data.vehicle, top) }));
    place.replaceChildren(svg, ...ticks.map((tick) => this.#tick(tick, top)));
    place.addEventListener("click", (event) => {
      const time_s = axis.timeAt(event);
      if (time_s !== null) this.dispatchEvent(new CustomEvent("go", { detail: time_s }));
    });
    place.addEventListener("pointermove", (event) => {
      const time_s = axis.timeAt(event);
      readout.textContent = time_s === null ? "" : this.#describe(time_s, hasVehicles);
    });
    place.addEventListener("pointerleave", () => (readout.textContent = ""));
  }

  #tick(count, top) {
    const label = document.createElement("span");
    label.className = "tick";
    label.textContent = String(count);
    label.style.top = `${100 - (100 * count) / top}%`;
    return label;
  }

  #describe(time_s, hasVehicles) {
    const bin = Math.min(this.#data.person.length - 1, Math.floor(time_s / this.#data.bin_s));
    const params = { time: duration(time_s), people: this.#data.person[bin] ?? 0, vehicles: this.#data.vehicle[bin] ?? 0 };
    return t(hasVehicles ? "presence.now" : "presence.now_people", params);
  }
}
