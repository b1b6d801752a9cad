// Change camera and start of a video through the API.

import { ApiError, send } from "./api.js";
import { localFieldValue, zoneName } from "./format.js";

export function startEditForm(form) {
  const start = form.querySelector("[name=started_at]");
  const error = form.querySelector("[data-part=error]");
  if (start.dataset.startedAt) start.value = localFieldValue(new Date(start.dataset.startedAt));
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    const body = { camera: form.querySelector("[name=camera]").value.trim(), started_at: start.value || null };
    if (start.value) body.time_zone = zoneName();
    try {
      await send("PATCH", form.dataset.url, { body });
      location.reload();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      error.textContent = problem.message;
      error.hidden = false;
    }
  });
}
