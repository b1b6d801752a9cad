// Fill a video's card (templates/_video_card.html) from its JSON.

import { bytes, duration } from "./format.js";
import { plural, t } from "./i18n.js";
import { fillBadge } from "./job_card.js";
import { timeElement } from "./times.js";

/** Show `video` in `card`. */
export function fillVideoCard(card, video) {
  const field = (name) => card.querySelector(`[data-field=${name}]`);
  const { job } = video;
  card.dataset.videoId = video.id;
  for (const name of ["link", "name"]) field(name).href = video.page_url;
  field("name").textContent = video.name;
  field("name").title = video.name;
  const poster = field("poster");
  if (video.poster_url && poster.getAttribute("src") !== video.poster_url) poster.src = video.poster_url;
  poster.hidden = !video.poster_url;
  field("length").textContent = duration(Math.round(video.duration_s));
  fillBadge(field("state"), job?.state ?? "");
  field("bar").value = Math.round((job?.progress ?? 0) * 100);
  field("bar").hidden = job?.state !== "running";
  field("error").textContent = job?.error?.message ?? "";
  field("error").hidden = !job?.error;
  field("camera").textContent = video.camera.name;
  field("started").replaceChildren(video.started_at ? timeElement(video.started_at) : t("video.no_start"));
  field("size").textContent = bytes(video.bytes);
  field("pixels").textContent = `${video.width}×${video.height}`;
  field("tracks").textContent = video.result ? plural("tracks", video.result.track_count) : "";
  const form = card.querySelector("form");
  form.dataset.url = video.url;
  form.dataset.name = video.name;
  field("delete").setAttribute("aria-label", t("delete.name", { name: video.name }));
}
