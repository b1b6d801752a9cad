// The job of a video, on the video's own page: polls until it is final, then shows the result.

import { getJson } from "./api.js";
import { jobsWait } from "./health.js";
import { fillJobCard, isFinal, watchJobActions } from "./job_card.js";
import { poll } from "./poller.js";

export function startJobHere(section) {
  const card = section.querySelector("[data-job]");

  function show(job) {
    fillJobCard(card, job);
    if (!isFinal(job)) jobsWait();
    if (job.state !== "done") return;
    // Somebody who watches the old result is not interrupted.
    if (section.dataset.hasResult === "yes") section.querySelector("#new-result").hidden = false;
    else location.reload();
  }

  const poller = poll({ ask: () => getJson(section.dataset.jobUrl), show, isFinal });
  watchJobActions(section, poller.wake);
}
