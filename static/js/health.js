// The banner that says that no worker is running; asks only while jobs wait.

import { getJson } from "./api.js";

const EVERY_MS = 15000;

export function watchHealth(banner, url) {
  let timer = null;

  async function ask() {
    timer = null;
    try {
      const health = await getJson(url);
      const isAlive = health.workers.some((worker) => worker.is_alive && worker.queue === "jobs");
      banner.hidden = isAlive;
      if (!isAlive || health.jobs.queued + health.jobs.running > 0) later();
    } catch {
      later();
    }
  }

  function later() {
    timer ??= setTimeout(ask, EVERY_MS);
  }

  if (!banner.hidden) later();
  document.addEventListener("jobswaiting", later);
}

/** Tell the banner that jobs wait. */
export function jobsWait() {
  document.dispatchEvent(new CustomEvent("jobswaiting"));
}
