// Where and when: a lane for each camera over one time axis, a bar for each sighting, and the way between them.

import { t } from "./i18n.js";

const LANE_PX = 34;
const BAR_PX = 16;
const HEAD_PX = 18;
const NAME_PX = 118;
const LEAST_BAR_PX = 7;
const PIXELS_PER_TICK = 110;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000];

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function format(time, span_s) {
  const wanted =
    span_s > 2 * 86400
      ? { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }
      : { hour: "2-digit", minute: "2-digit", ...(span_s < 900 ? { second: "2-digit" } : {}) };
  return new Date(time * 1000).toLocaleString(document.documentElement.lang, wanted);
}

function seconds(text) {
  return Date.parse(text) / 1000;
}

/** Fill `box` with the axis, as wide as the box is. */
export function drawRoute(box, sightings) {
  const width = Math.max(280, box.clientWidth);
  const left = width < 480 ? 0 : NAME_PX;
  const cameras = [...new Set(sightings.map((seen) => seen.camera))];
  const start = Math.min(...sightings.map((seen) => seconds(seen.began_at)));
  const end = Math.max(...sightings.map((seen) => seconds(seen.ended_at)), start + 1);
  const pad = (end - start) * 0.03;
  const [from, to] = [start - pad, end + pad];
  const nameRoom = left ? 0 : 16;
  const lane = LANE_PX + nameRoom;
  const height = HEAD_PX + cameras.length * lane;
  const x = (time) => left + ((time - from) / (to - from)) * (width - left);
  const middle = (camera) => HEAD_PX + cameras.indexOf(camera) * lane + nameRoom + LANE_PX / 2;

  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  cameras.forEach((camera) => {
    picture.append(svg("rect", { class: "lane", x: left, y: middle(camera) - LANE_PX / 2 + 3, width: width - left, height: LANE_PX - 6, rx: 4 }));
    const name = camera.length > 16 && left ? `${camera.slice(0, 15)}…` : camera;
    picture.append(svg("text", { class: "lane-name", x: 0, y: left ? middle(camera) + 4 : middle(camera) - LANE_PX / 2 - 1 }, name));
  });
  drawTicks(picture, { from, to, x, height, room: width - left });
  const points = sightings.flatMap((seen) => [seconds(seen.began_at), seconds(seen.ended_at)].map((time) => `${x(time)},${middle(seen.camera)}`));
  picture.append(svg("polyline", { class: "way", points: points.join(" ") }));
  for (const seen of sightings) picture.append(drawBar(seen, { x, middle, span_s: to - from }));
  box.replaceChildren(picture);
}

function drawTicks(picture, { from, to, x, height, room }) {
  const most = Math.max(2, Math.floor(room / PIXELS_PER_TICK));
  const step = STEPS_S.find((candidate) => (to - from) / candidate <= most) ?? STEPS_S.at(-1);
  const offset = new Date(from * 1000).getTimezoneOffset() * 60;
  for (let time = Math.ceil((from - offset) / step) * step + offset; time <= to; time += step) {
    picture.append(svg("line", { class: "tick", x1: x(time), x2: x(time), y1: HEAD_PX - 2, y2: height }));
    const isLate = x(time) > picture.getAttribute("width") - 60;
    picture.append(svg("text", { class: "tick-name", x: x(time) + (isLate ? -4 : 3), y: 11, "text-anchor": isLate ? "end" : "start" }, format(time, to - from)));
  }
}

function drawBar(seen, { x, middle, span_s }) {
  const [began, ended] = [seconds(seen.began_at), seconds(seen.ended_at)];
  const link = svg("a", { href: seen.page_url, class: `${seen.is_confirmed ? "is-confirmed" : "is-proposed"} is-${seen.kind}` });
  const words = t(seen.is_confirmed ? "axis.confirmed" : "axis.proposed", { camera: seen.camera, time: format(began, Math.min(span_s, 800)), number: seen.number });
  link.setAttribute("aria-label", words);
  link.append(svg("rect", { class: "bar", x: x(began), y: middle(seen.camera) - BAR_PX / 2, width: Math.max(LEAST_BAR_PX, x(ended) - x(began)), height: BAR_PX, rx: 4 }));
  link.append(svg("title", {}, words));
  return link;
}
