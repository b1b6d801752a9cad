// Show the page anew when the judging of a model that it names has ended.

import { getJson } from "./api.js";
import { isFinal } from "./job_card.js";
import { poll } from "./poller.js";

const live = document.querySelector("[data-live-job]");
if (live) {
  poll({
    ask: () => getJson(live.dataset.liveJob),
    show: (job) => isFinal(job) && location.reload(),
    isFinal,
  });
}
