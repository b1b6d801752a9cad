// Fill a job's card (templates/_job_card.html) from its JSON.

import { ApiError, send } from "./api.js";
import { duration, number, percent } from "./format.js";
import { has, t } from "./i18n.js";
import { timeElement } from "./times.js";

const FINAL_STATES = new Set(["done", "failed", "cancelled"]);

export const isFinal = (job) => FINAL_STATES.has(job.state);

function took(job) {
  if (!isFinal(job) || !job.started_at || !job.finished_at) return "";
  return t("job.took", { time: duration((new Date(job.finished_at) - new Date(job.started_at)) / 1000) });
}

/** Put a state's word into its badge. */
export function fillBadge(badge, state) {
  badge.dataset.state = state;
  badge.textContent = state ? t(`state.${state}`) : "";
}

function stageWord(job) {
  if (job.state === "queued") return t("stage.queued");
  const key = [`stage.${job.kind}.${job.stage}`, `stage.${job.stage}`].find(has);
  return key ? t(key) : "";
}

function fillProgress(field, job) {
  field("bar").value = Math.round(job.progress * 100);
  field("percent").textContent = percent(job.progress);
  field("stage").textContent = stageWord(job);
  const isRunning = job.state === "running";
  field("rate").textContent = isRunning && job.fps ? t("job.rate", { fps: number(job.fps, 1) }) : "";
  field("left").textContent = isRunning && job.eta_s !== null ? t("job.left", { time: duration(job.eta_s) }) : "";
}

/** Show how `job` goes, and what can be done about it, in `place`. */
export function fillJobWork(place, job) {
  const field = (name) => place.querySelector(`[data-field=${name}]`);
  const part = (name) => place.querySelector(`[data-part=${name}]`);
  place.dataset.url = job.url;
  part("progress").hidden = isFinal(job);
  fillProgress(field, job);
  part("error").hidden = !job.error;
  field("error").textContent = job.error?.message ?? "";
  part("cancelling").hidden = !(job.cancel_requested && job.state === "running");
  field("open").href = job.video_url;
  field("open").hidden = job.state !== "done";
  for (const [action, isShown, url] of [
    ["cancel", job.can_cancel, job.cancel_url],
    ["retry", job.can_retry, job.retry_url],
  ]) {
    const form = place.querySelector(`[data-action=${action}]`);
    form.dataset.url = url;
    form.hidden = !isShown;
  }
}

/** Show `job` in `card`. */
export function fillJobCard(card, job) {
  const field = (name) => card.querySelector(`[data-field=${name}]`);
  card.dataset.jobId = job.id;
  field("link").href = job.video_url;
  field("name").href = job.video_url;
  field("name").textContent = job.video_name || t(`kind.${job.kind}`);
  field("name").title = job.video_name;
  const poster = field("poster");
  if (job.poster_url && poster.getAttribute("src") !== job.poster_url) poster.src = job.poster_url;
  poster.hidden = !job.poster_url;
  fillBadge(field("state"), job.state);
  fillJobWork(card, job);
  field("kind").textContent = has(`kind.${job.kind}`) ? t(`kind.${job.kind}`) : "";
  field("created").replaceChildren(timeElement(job.created_at));
  field("took").textContent = took(job);
  field("attempts").textContent = job.attempt > 1 ? t("job.attempt", { attempt: job.attempt, limit: job.max_attempts }) : "";
}

/** Send cancel and retry of all jobs below `root` through the API, show the job by `fill`, call `onChange` with it. */
export function watchJobActions(root, onChange, fill = fillJobCard) {
  root.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-action]");
    if (!form) return;
    event.preventDefault();
    const card = form.closest("[data-job]");
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const job = await send("POST", form.dataset.url);
      fill(card, job);
      onChange(job);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      card.querySelector("[data-part=error]").hidden = false;
      card.querySelector("[data-field=error]").textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}
