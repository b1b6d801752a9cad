// The annotated video of a result: asks for it, follows its job, offers the file when it is there.

import { announce } from "./announce.js";
import { ApiError, getJson, send } from "./api.js";
import { jobsWait } from "./health.js";
import { t } from "./i18n.js";
import { fillJobWork, isFinal, watchJobActions } from "./job_card.js";
import { poll } from "./poller.js";

export function startAnnotated(section) {
  const part = (name) => section.querySelector(`:scope > [data-part=${name}]`);
  const making = part("making");
  let poller = null;

  function show(job) {
    fillJobWork(making, job);
    if (!isFinal(job)) jobsWait();
    const isDone = job.state === "done";
    making.hidden = isDone;
    part("missing").hidden = true;
    part("ready").hidden = !isDone;
    if (isDone) announce(t("annotated.done"));
  }

  function follow() {
    poller ??= poll({ ask: () => getJson(making.dataset.url), show, isFinal });
    poller.wake();
  }

  part("missing").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    part("refused").hidden = true;
    try {
      show(await send("POST", section.dataset.runUrl, { body: { kind: "render" } }));
      follow();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      section.querySelector("[data-field=refused]").textContent = error.message;
      part("refused").hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  watchJobActions(section, follow, fillJobWork);
  if (!making.hidden) follow();
}
