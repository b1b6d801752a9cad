// The list of videos: keeps it current while jobs run, deletes through the API.

import { ApiError, getJson, send } from "./api.js";
import { confirmed } from "./confirm.js";
import { number } from "./format.js";
import { jobsWait } from "./health.js";
import { t } from "./i18n.js";
import { isFinal } from "./job_card.js";
import { poll } from "./poller.js";
import { fillVideoCard } from "./video_card.js";

const grid = document.getElementById("video-grid");
const template = document.getElementById("video-template");
const isUnfinished = (video) => video.job && !isFinal(video.job);

function show({ videos, total }) {
  const cards = new Map([...grid.children].map((card) => [card.dataset.videoId, card]));
  videos.forEach((video, index) => {
    const card = cards.get(video.id) ?? template.content.firstElementChild.cloneNode(true);
    cards.delete(video.id);
    fillVideoCard(card, video);
    if (grid.children[index] !== card) grid.insertBefore(card, grid.children[index] ?? null);
  });
  for (const card of cards.values()) card.remove();
  document.getElementById("video-count").textContent = number(total);
  document.getElementById("video-empty").hidden = videos.length > 0;
  if (videos.some(isUnfinished)) jobsWait();
}

const poller = poll({
  ask: () => getJson(`${grid.dataset.url}?${new URLSearchParams({ limit: grid.dataset.limit, offset: grid.dataset.offset })}`),
  show,
  isFinal: ({ videos }) => !videos.some(isUnfinished),
});
document.addEventListener("videoadded", poller.wake);

grid.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  event.stopPropagation();
  if (!(await confirmed(t("confirm.video", { name: form.dataset.name }), t("confirm.yes")))) return;
  try {
    await send("DELETE", form.dataset.url);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const place = form.closest("[data-video]").querySelector("[data-field=error]");
    place.textContent = error.message;
    place.hidden = false;
    return;
  }
  poller.wake();
});
