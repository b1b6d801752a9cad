// Keys of the video page; fields and buttons keep their own.

import { toggleFullscreen } from "./controls.js";

const JUMP_S = 5;
const FIELDS = "input:not([type=range]), select, textarea, [contenteditable]";

export function startKeyboard({ player, view, playerElement, searchFollowed }) {
  const keys = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.seekBy(-JUMP_S),
    ArrowRight: () => player.seekBy(JUMP_S),
    ",": () => player.step(-1),
    ".": () => player.step(1),
    f: () => toggleFullscreen(playerElement),
    s: () => searchFollowed?.(),
    Escape: () => view.follow(null),
  };
  // Some Chinese input methods send full-width signs.
  keys["，"] = keys[","];
  keys["。"] = keys["."];

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
}
