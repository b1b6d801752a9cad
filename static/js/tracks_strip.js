// The best crop of every track, and the panel of the followed one.

import { trackColour } from "./colours.js";
import { duration, number, percent, wallTime } from "./format.js";
import { t } from "./i18n.js";
import { identityTitle, trackSpan, trackTitle } from "./track_words.js";

const BATCH = 120;

export class TracksStrip extends EventTarget {
  #panel;
  #list;
  #view;
  #tracks;
  #visible = new Set();
  #pending = [];
  #sentinel = document.createElement("li");

  /** Dispatches "go" with {track, time_s} and "leave". */
  constructor(panel, { view, tracks }) {
    super();
    this.#panel = panel;
    this.#list = panel.querySelector("#strip");
    this.#view = view;
    this.#tracks = tracks;
    new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.#addBatch(), {
      root: this.#list,
      rootMargin: "400px",
    }).observe(this.#sentinel);
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    panel.querySelector("#followed").addEventListener("click", (event) => this.#followedClicked(event));
    this.#startFilter(panel.querySelector("#kind-filter"));
    view.addEventListener("change", ({ detail }) => {
      if (detail === "kind") this.#fill();
      if (detail === "followed") this.#showFollowed();
    });
    this.#fill();
    this.#showFollowed();
  }

  /** Mark the tracks that are in the picture. */
  markVisible(numbers) {
    const now = new Set(numbers);
    for (const number of this.#visible) if (!now.has(number)) this.#button(number)?.classList.remove("is-visible");
    for (const number of now) if (!this.#visible.has(number)) this.#button(number)?.classList.add("is-visible");
    this.#visible = now;
    this.#showWhetherVisible();
  }

  #button(number) {
    return this.#list.querySelector(`[data-track="${number}"]`);
  }

  #startFilter(group) {
    const counts = { person: 0, vehicle: 0 };
    for (const track of this.#tracks) counts[track.kind] += 1;
    for (const [kind, count] of Object.entries(counts)) group.querySelector(`[data-count=${kind}]`).textContent = number(count);
    group.hidden = !counts.vehicle || !counts.person;
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
      this.#view.filter(button.dataset.kind);
    });
  }

  #fill() {
    const { kind } = this.#view;
    this.#pending = this.#tracks.filter((track) => !kind || track.kind === kind);
    this.#panel.querySelector("#strip-empty").hidden = this.#tracks.length > 0;
    this.#list.hidden = this.#tracks.length === 0;
    this.#list.replaceChildren(this.#sentinel);
    this.#list.scrollTo(0, 0);
    this.#addBatch();
  }

  #addBatch() {
    const batch = this.#pending.splice(0, BATCH).map((track) => this.#item(track));
    this.#sentinel.before(...batch);
    this.#sentinel.hidden = this.#pending.length === 0;
  }

  #item(track) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = track.kind === "vehicle" ? "crop is-vehicle" : "crop";
    button.dataset.track = track.number;
    button.style.setProperty("--track", trackColour(track.number));
    button.classList.toggle("is-visible", this.#visible.has(track.number));
    button.setAttribute("aria-pressed", String(track.number === this.#view.followed));
    const span = { from: duration(track.first_s), to: duration(track.last_s) };
    button.setAttribute("aria-label", t("track.go", { title: trackTitle(track), ...span }));
    const picture = document.createElement("img");
    picture.loading = "lazy";
    picture.alt = "";
    picture.src = track.crop_url;
    const label = document.createElement("span");
    label.className = "crop-label";
    const name = document.createElement("b");
    name.textContent = String(track.number);
    const since = document.createElement("span");
    since.textContent = duration(track.first_s);
    label.append(name, since);
    button.append(picture, label);
    item.append(button);
    return item;
  }

  #trackOf(number) {
    return this.#tracks.find((track) => track.number === number) ?? null;
  }

  #clicked(event) {
    const button = event.target.closest("[data-track]");
    if (!button) return;
    const track = this.#trackOf(Number(button.dataset.track));
    if (track.number === this.#view.followed) this.dispatchEvent(new Event("leave"));
    else this.#go(track);
  }

  #followedClicked(event) {
    const action = event.target.closest("button")?.dataset.action;
    if (action === "jump") this.#go(this.#trackOf(this.#view.followed));
    if (action === "leave") this.dispatchEvent(new Event("leave"));
  }

  #go(track) {
    this.dispatchEvent(new CustomEvent("go", { detail: { track, time_s: track.first_s } }));
  }

  #showFollowed() {
    const track = this.#trackOf(this.#view.followed);
    const place = this.#panel.querySelector("#followed");
    for (const button of this.#list.querySelectorAll("[data-track]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.track) === track?.number));
    }
    place.hidden = !track;
    if (!track) return;
    const field = (name) => place.querySelector(`[data-field=${name}]`);
    place.style.setProperty("--track", trackColour(track.number));
    field("crop").src = track.crop_url;
    field("crop").alt = trackTitle(track);
    field("title").textContent = trackTitle(track);
    field("seen").textContent = trackSpan(track);
    const { identity } = track;
    place.querySelector("[data-part=identity]").hidden = !identity;
    field("identity").textContent = identity ? identityTitle(identity) : "";
    field("identity").href = identity?.page_url ?? "";
    place.querySelector("[data-part=wall]").hidden = !track.started_at;
    field("wall").textContent = track.started_at ? wallTime(new Date(track.started_at)) : "";
    field("search").href = track.search_url;
    field("points").textContent = number(track.point_count);
    field("score").textContent = percent(track.mean_score);
    this.#showWhetherVisible();
    this.#reveal(this.#button(track.number));
  }

  /** Scroll the strip, and nothing around it: the picture must stay where it is. */
  #reveal(button) {
    if (!button) return;
    const outer = this.#list.getBoundingClientRect();
    const inner = button.getBoundingClientRect();
    const past = (start, end, low, high) => (start < low ? start - low : end > high ? end - high : 0);
    this.#list.scrollBy(past(inner.left, inner.right, outer.left, outer.right), past(inner.top, inner.bottom, outer.top, outer.bottom));
  }

  #showWhetherVisible() {
    const { followed } = this.#view;
    if (followed === null) return;
    const text = t(this.#visible.has(followed) ? "track.visible" : "track.hidden");
    const place = this.#panel.querySelector("[data-field=now]");
    if (place.textContent !== text) place.textContent = text;
  }
}
