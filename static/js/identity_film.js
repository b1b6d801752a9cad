// Follow the job that makes the film of an identity, and show the page anew when it is done.

import { getJson } from "./api.js";
import { fillJobWork, isFinal, watchJobActions } from "./job_card.js";
import { poll } from "./poller.js";

export function startFilm(section) {
  const place = section.querySelector("[data-job]");
  let wasLive = false;
  const show = (job) => {
    fillJobWork(place, job);
    if (!isFinal(job)) wasLive = true;
    else if (wasLive && job.state === "done") location.reload();
  };
  const poller = poll({ ask: () => getJson(section.dataset.jobUrl), show, isFinal });
  watchJobActions(section, () => poller.wake(), fillJobWork);
}
