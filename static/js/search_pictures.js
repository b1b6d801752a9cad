// Wait until the worker has looked at the pictures, then show who is in them.

import { getJson } from "./api.js";
import { poll } from "./poller.js";

const waiting = document.getElementById("waiting");
const isFinal = (query) => !["queued", "running"].includes(query.state);

poll({
  ask: () => getJson(waiting.dataset.url),
  show: (query) => {
    if (isFinal(query)) location.reload();
  },
  isFinal,
});
