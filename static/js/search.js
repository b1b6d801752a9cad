// The answers of a search: threshold, keyboard, and decisions that can be taken back.

import { announce } from "./announce.js";
import { ApiError, send } from "./api.js";
import { number } from "./format.js";
import { plural, t } from "./i18n.js";

const FIELDS = "input:not([type=range], [type=checkbox]), select, textarea, [contenteditable]";
const root = document.getElementById("search");
const list = document.getElementById("answers");
const asked = JSON.parse(root.dataset.asked);
const decided = [];

const cards = () => [...list.children].filter((card) => !card.hidden);
const part = (card, name) => card.querySelector(`[data-part=${name}]`);

function startThreshold() {
  const slider = document.getElementById("least-slider");
  const field = document.getElementById("least");
  const chart = document.querySelector(".histogram");
  const mark = chart?.querySelector(".mark-least");

  function show() {
    const least = Number(slider.value);
    let shown = 0;
    for (const card of list.children) {
      card.hidden = Number(card.dataset.similarity) < least;
      if (!card.hidden) shown += 1;
    }
    document.getElementById("least-value").textContent = number(least, 2);
    document.getElementById("answers-count").textContent = plural("search.shown", shown);
    document.getElementById("all-hidden").hidden = shown > 0 || list.children.length === 0;
    if (!mark) return;
    const x = (100 * (least - Number(chart.dataset.low))) / Number(chart.dataset.width);
    mark.removeAttribute("hidden");
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
  }

  field.type = "hidden";
  slider.hidden = false;
  if (field.value) slider.value = field.value;
  slider.addEventListener("input", () => {
    field.value = slider.value === slider.min ? "" : slider.value;
    show();
  });
}

function showDecision(card, decision) {
  card.dataset.decision = decision ?? "";
  for (const control of card.querySelectorAll(".answer-actions button")) control.disabled = Boolean(decision);
  part(card, "done").hidden = !decision;
  card.querySelector("[data-field=done]").textContent = decision ? t(`search.${decision}`) : "";
}

async function attempt(card, work) {
  part(card, "error").hidden = true;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    part(card, "error").textContent = error.message;
    part(card, "error").hidden = false;
  }
}

function decide(card, decision) {
  if (card.dataset.decision) return;
  attempt(card, async () => {
    const body = { ...asked, answer: Number(card.dataset.track), decision };
    const done = await send("POST", root.dataset.decideUrl, { body });
    if (asked.identity !== done.identity) goOnWith(done);
    decided.push({ card, undoUrl: done.undo_url });
    showDecision(card, decision);
    announce(t(`search.${decision}`));
  });
}

/** From the first decision on, the question is about an identity; reloading asks about it too. */
function goOnWith(done) {
  asked.identity = done.identity;
  const here = new URL(location.href);
  here.searchParams.set("identity", done.identity);
  history.replaceState(null, "", here);
}

function undo(entry) {
  if (!entry) return;
  attempt(entry.card, async () => {
    if (entry.undoUrl) await send("POST", entry.undoUrl);
    decided.splice(decided.indexOf(entry), 1);
    showDecision(entry.card, null);
    announce(t("search.undone"));
  });
}

function current() {
  return document.activeElement?.closest(".answer") ?? null;
}

function choose(step) {
  const shown = cards();
  const at = shown.indexOf(current());
  const next = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.min(shown.length - 1, Math.max(0, at + step))];
  next?.querySelector(".sight-picture").focus();
}

function startKeyboard() {
  document.getElementById("answer-keys").hidden = list.children.length === 0;
  const keys = {
    ArrowRight: () => choose(1),
    ArrowLeft: () => choose(-1),
    c: () => current() && decide(current(), "confirm"),
    x: () => current() && decide(current(), "reject"),
    u: () => undo(decided.at(-1)),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest(FIELDS)) return;
    if (event.target.type === "range" || document.querySelector("dialog[open]")) return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

list.addEventListener("submit", (event) => {
  event.preventDefault();
  decide(event.target.closest(".answer"), event.submitter.value);
});
list.addEventListener("click", (event) => {
  if (!event.target.closest("[data-action=undo]")) return;
  const card = event.target.closest(".answer");
  undo(decided.find((entry) => entry.card === card));
});
for (const control of document.querySelectorAll("#filters input[type=checkbox], #filters select")) {
  control.addEventListener("change", () => document.getElementById("filters").requestSubmit());
}
document.getElementById("filters-box").open = matchMedia("(min-width: 64rem)").matches;
startThreshold();
startKeyboard();
