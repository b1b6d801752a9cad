// The job of a video, on the video's own page: polls until it is final, then shows the result.

import { getJson } from "./api.js";
import { jobsWait } from "./health.js";
import { fillJobCard, isFinal, watchJobActions } from "./job_card.js";
import { poll } from "./poller.js";

/** Load the page anew at the moment that the player shows now. */
function reloadHere(video) {
  const here = new URL(location.href);
  here.hash = "";
  here.searchParams.delete("track");
  if (video?.currentTime > 0) here.searchParams.set("t", video.currentTime.toFixed(3));
  location.replace(here);
}

export function startJobHere(section) {
  const card = section.querySelector("[data-job]");
  const hasResult = section.dataset.hasResult === "yes";

  function show(job) {
    fillJobCard(card, job);
    if (!isFinal(job)) jobsWait();
    if (job.state !== "done") return;
    const video = document.getElementById("video");
    // Tracking again takes seconds, and who asked for it waits for it. Who watches the old result is not interrupted.
    const isWaitedFor = !hasResult || (job.kind === "retrack" && video.paused);
    if (isWaitedFor) reloadHere(video);
    else section.querySelector("#new-result").hidden = false;
  }

  const poller = poll({ ask: () => getJson(section.dataset.jobUrl), show, isFinal });
  watchJobActions(section, poller.wake);
}
