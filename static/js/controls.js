// The bar under the picture, and what the player says in words.

import { duration, preciseDuration, wallTime } from "./format.js";
import { t } from "./i18n.js";

/** Wire the control bar of `root` to `player` and `view`. */
export function startControls(root, video, { player, view }) {
  const seek = root.querySelector("#seek");
  const clock = root.querySelector("#clock");
  const wallClock = root.querySelector("#wall-clock");
  const bigPlay = root.querySelector("#big-play");
  const toggle = root.querySelector("[data-action=toggle]");
  const startedAt = wallClock.dataset.startedAt ? new Date(wallClock.dataset.startedAt).getTime() : null;

  function showTime() {
    const now = preciseDuration(player.time_s);
    const total = duration(Math.round(player.duration_s));
    seek.value = (1000 * player.time_s) / player.duration_s;
    seek.style.setProperty("--done", `${seek.value / 10}%`);
    // Once somebody has moved in the video, the big button only hides the picture.
    if (player.isPlaying || player.frame > 0) bigPlay.hidden = true;
    seek.setAttribute("aria-valuetext", t("player.position", { now, total }));
    clock.textContent = t("player.clock", { now, total, frame: player.frame });
    if (startedAt !== null) wallClock.textContent = wallTime(new Date(startedAt + player.time_s * 1000));
  }

  function showState() {
    root.classList.toggle("is-playing", player.isPlaying);
    toggle.setAttribute("aria-label", t(player.isPlaying ? "player.pause" : "player.play"));
    showTime();
  }

  const actions = {
    toggle: () => player.toggle(),
    "frame-back": () => player.step(-1),
    "frame-forward": () => player.step(1),
    fullscreen: () => toggleFullscreen(root),
  };
  root.querySelector("#controls").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.action) actions[button.dataset.action]();
    if (button?.dataset.layer) view.setLayer(button.dataset.layer, button.getAttribute("aria-pressed") !== "true");
  });
  view.addEventListener("change", () => {
    for (const button of root.querySelectorAll("[data-layer]")) {
      button.setAttribute("aria-pressed", String(view.layers[button.dataset.layer]));
    }
  });
  seek.addEventListener("input", () => player.seek((seek.value / 1000) * player.duration_s));
  root.querySelector("#rate").addEventListener("change", (event) => (player.rate = Number(event.target.value)));
  bigPlay.addEventListener("click", () => player.play());
  player.addEventListener("frame", showTime);
  player.addEventListener("state", showState);

  video.controls = false;
  bigPlay.hidden = false;
  root.querySelector("#controls").hidden = false;
  root.querySelector("#keys").hidden = false;
  showState();
  showErrors(video, root.querySelector("#stage-message"), bigPlay);
}

/** Full screen of the whole player, so that the boxes are in it; the bare video on phones that know no other. */
export function toggleFullscreen(root) {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (root.requestFullscreen) root.requestFullscreen();
  else root.querySelector("video").webkitEnterFullscreen?.();
}

function showErrors(video, place, bigPlay) {
  function show() {
    if (!video.error) return;
    place.textContent = t(`player.error.${video.error.code}`);
    place.hidden = false;
    bigPlay.hidden = true;
  }
  video.addEventListener("error", show);
  show();
}
