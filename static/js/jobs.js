// The jobs page: keeps the cards current and stops when all jobs are final.

import { announce } from "./announce.js";
import { getJson } from "./api.js";
import { jobsWait } from "./health.js";
import { t } from "./i18n.js";
import { fillJobCard, isFinal, watchJobActions } from "./job_card.js";
import { poll } from "./poller.js";

const list = document.getElementById("job-list");
const template = document.getElementById("job-template");
const states = new Map();

function listUrl() {
  const { url, state, limit, offset } = list.dataset;
  const query = new URLSearchParams({ limit, offset });
  if (state) query.set("state", state);
  return `${url}?${query}`;
}

function show({ jobs }) {
  const cards = new Map([...list.children].map((card) => [card.dataset.jobId, card]));
  jobs.forEach((job, index) => {
    const card = cards.get(job.id) ?? template.content.firstElementChild.cloneNode(true);
    cards.delete(job.id);
    fillJobCard(card, job);
    if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
    if (states.has(job.id) && states.get(job.id) !== job.state) {
      announce(t("job.announce", { name: job.video_name, state: t(`state.${job.state}`) }));
    }
    states.set(job.id, job.state);
  });
  for (const card of cards.values()) card.remove();
  document.getElementById("job-empty").hidden = jobs.length > 0;
  if (jobs.some((job) => !isFinal(job))) jobsWait();
}

const poller = poll({
  ask: () => getJson(listUrl()),
  show,
  isFinal: ({ jobs }) => jobs.every(isFinal),
});
watchJobActions(list, poller.wake);
