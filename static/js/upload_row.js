// One chosen file: its fields, its upload, what became of it.

import { announce } from "./announce.js";
import { ApiError, send } from "./api.js";
import { bytes, duration, localFieldValue, percent, zoneName } from "./format.js";
import { t } from "./i18n.js";
import { guessStart } from "./guess_start.js";
import { abandon, forget, uploadFile } from "./tus.js";

const SPEED_WINDOW_MS = 5000;

/** Bytes a second over the last few seconds. */
class Speed {
  #samples = [];

  add(sent) {
    const now = performance.now();
    this.#samples.push([now, sent]);
    while (this.#samples.length > 2 && now - this.#samples[0][0] > SPEED_WINDOW_MS) this.#samples.shift();
  }

  get bytesPerS() {
    if (this.#samples.length < 2) return null;
    const [[t0, b0], [t1, b1]] = [this.#samples[0], this.#samples.at(-1)];
    return t1 > t0 && b1 > b0 ? ((b1 - b0) * 1000) / (t1 - t0) : null;
  }
}

export class UploadRow extends EventTarget {
  /** `state` is one of chosen, waiting, sending, paused, checking, done, refused. */
  state = "chosen";

  /** How the video is to be worked on, as it was chosen when the upload was asked for. */
  choices = {};

  constructor(element, file, { uploadsUrl, videosUrl, maxBytes, readChoices }) {
    super();
    this.element = element;
    this.file = file;
    this.urls = { uploadsUrl, videosUrl };
    this.readChoices = readChoices;
    this.abort = null;
    this.#field("name").textContent = file.name;
    this.#field("name").title = file.name;
    this.#field("size").textContent = bytes(file.size);
    const start = guessStart(file.name);
    if (start) this.#field("started").value = localFieldValue(start);
    this.#labelFields();
    element.addEventListener("click", (event) => this.#clicked(event));
    if (file.size > maxBytes) this.#refuse(t("upload.too_large", { size: bytes(file.size), limit: bytes(maxBytes) }), false);
    else if (file.size === 0) this.#refuse(t("upload.empty"), false);
    else this.#setState("chosen");
  }

  get camera() {
    return this.#field("camera").value.trim();
  }

  set camera(name) {
    this.#field("camera").value = name;
  }

  /** Say that the camera's name is missing and return false, or return true. */
  validate() {
    const input = this.#field("camera");
    const isMissing = !this.camera;
    input.setAttribute("aria-invalid", String(isMissing));
    this.#showError(isMissing ? t("upload.no_camera") : "");
    if (isMissing) input.focus();
    return !isMissing;
  }

  wait() {
    this.choices = this.readChoices();
    this.#showFigures(t("upload.waiting"));
    this.#setState("waiting");
  }

  /** Send the file and add the video; resolves in every case. */
  async run() {
    this.abort = new AbortController();
    this.#showError("");
    this.#showFigures(t("upload.starting"));
    this.#setState("sending");
    try {
      const uploadId = await this.#sendBytes();
      this.#setState("checking");
      this.#field("bar").removeAttribute("value");
      this.#showFigures(t("upload.checking"));
      const video = await send("POST", this.urls.videosUrl, { body: this.#description(uploadId) });
      forget(this.file);
      this.#field("link").href = video.page_url;
      this.#setState("done");
      announce(t("upload.done_announce", { name: this.file.name }));
      document.dispatchEvent(new CustomEvent("videoadded"));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      // A file that was examined and refused is not there to be continued.
      if (this.state === "checking" && error.status >= 400 && error.status < 500) forget(this.file);
      this.#refuse(error.message, true);
    }
  }

  async #sendBytes() {
    const speed = new Speed();
    const { size } = this.file;
    let sent = 0;
    return uploadFile(this.urls.uploadsUrl, this.file, {
      signal: this.abort.signal,
      onProgress: (count) => {
        sent = count;
        speed.add(count);
        this.#field("bar").value = (100 * count) / size;
        const rate = speed.bytesPerS;
        this.#showFigures(
          rate
            ? t("upload.figures", { percent: percent(count / size), speed: bytes(rate), time: duration((size - count) / rate + 0.99) })
            : percent(count / size),
        );
      },
      onResume: (offset) => {
        sent = offset;
        this.#field("bar").value = (100 * offset) / size;
        this.#showFigures(t("upload.resuming"));
      },
      onReconnect: (seconds) => this.#showFigures(t("upload.reconnecting", { percent: percent(sent / size), seconds })),
    });
  }

  #description(uploadId) {
    const started = this.#field("started").value;
    const body = { upload_id: uploadId, camera: this.camera, ...this.choices };
    if (started) Object.assign(body, { started_at: started, time_zone: zoneName() });
    return body;
  }

  pause() {
    this.abort?.abort();
    this.#showFigures(t("upload.paused", { percent: percent(this.#field("bar").value / 100) }));
    this.#setState("paused");
  }

  async remove() {
    const isUnfinished = ["sending", "paused", "refused"].includes(this.state);
    this.abort?.abort();
    this.state = "removed";
    this.element.remove();
    this.dispatchEvent(new Event("change"));
    if (isUnfinished) await abandon(this.file);
  }

  #clicked(event) {
    const action = event.target.closest("button")?.dataset.action;
    if (action === "pause") this.pause();
    if (action === "remove") this.remove();
    if (action === "resume" || action === "retry") this.dispatchEvent(new Event("again"));
  }

  #field(name) {
    return this.element.querySelector(`[data-field=${name}]`);
  }

  #labelFields() {
    for (const holder of this.element.querySelectorAll(".field")) {
      const control = holder.querySelector("input, select");
      control.id = `row-${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;
      holder.querySelector("label").htmlFor = control.id;
    }
    this.#field("bar").setAttribute("aria-label", this.file.name);
  }

  #showFigures(text) {
    this.#field("figures").textContent = text;
  }

  #showError(text) {
    this.#field("error").textContent = text;
    this.element.querySelector("[data-part=error]").hidden = !text;
  }

  #refuse(message, canRetry) {
    this.#showError(message);
    this.#setState("refused");
    this.element.querySelector("[data-action=retry]").hidden = !canRetry;
    this.element.querySelector("[data-part=fields]").hidden = !canRetry;
  }

  #setState(state) {
    this.state = state;
    this.element.dataset.state = state;
    const shown = (selector, isShown) => (this.element.querySelector(selector).hidden = !isShown);
    shown("[data-part=fields]", state === "chosen");
    shown("[data-part=progress]", ["waiting", "sending", "paused", "checking"].includes(state));
    shown("[data-part=done]", state === "done");
    shown("[data-action=pause]", state === "sending");
    shown("[data-action=resume]", state === "paused");
    shown("[data-action=retry]", false);
    shown("[data-action=remove]", state !== "checking");
    const label = t(["sending", "paused"].includes(state) ? "upload.cancel" : "upload.remove", { name: this.file.name });
    this.element.querySelector("[data-action=remove]").setAttribute("aria-label", label);
    this.dispatchEvent(new Event("change"));
  }
}
