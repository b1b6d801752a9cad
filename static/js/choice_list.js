// Choosing several entries of a list by keyboard and mouse: arrows move, Space chooses, Shift chooses a range.

import { t } from "./i18n.js";

const COLUMN_TOLERANCE_PX = 4;

/**
 * Make the entries of `list` reachable by arrow keys. Each holds one checkbox; `open` is called on Enter.
 * `count` shows how many are chosen, and `buttons` are usable only while any are.
 */
export function startChoiceList(list, { count, buttons, open }) {
  const entries = () => [...list.children];
  const boxOf = (entry) => entry.querySelector('input[type="checkbox"]');
  let current = 0;
  let anchor = null;

  function focus(index) {
    const all = entries();
    all[current]?.setAttribute("tabindex", "-1");
    current = Math.min(all.length - 1, Math.max(0, index));
    all[current].setAttribute("tabindex", "0");
    all[current].focus();
  }

  function choose(from, to) {
    const all = entries();
    for (let index = Math.min(from, to); index <= Math.max(from, to); index += 1) boxOf(all[index]).checked = true;
  }

  function show() {
    const chosen = entries().filter((entry) => boxOf(entry).checked).length;
    count.textContent = chosen ? t("choice.count", { count: chosen }) : "";
    for (const button of buttons) button.disabled = chosen === 0;
  }

  /** How many entries are in a row: those whose top is that of the first. */
  function columns() {
    const all = entries();
    const top = all[0].offsetTop;
    const next = all.findIndex((entry) => Math.abs(entry.offsetTop - top) > COLUMN_TOLERANCE_PX);
    return next < 0 ? all.length : next;
  }

  function keyed(event) {
    if (event.target.closest("a, button, input") && event.target !== entries()[current]) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns(), Home: -1e6, End: 1e6 };
    if (event.key in steps) {
      event.preventDefault();
      const start = anchor ?? current;
      focus(current + steps[event.key]);
      if (event.shiftKey) {
        anchor = start;
        choose(start, current);
      } else {
        anchor = null;
      }
    } else if (event.key === " ") {
      event.preventDefault();
      boxOf(entries()[current]).checked = !boxOf(entries()[current]).checked;
      anchor = current;
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(entries()[current]);
    } else if (event.key === "Escape") {
      for (const entry of entries()) boxOf(entry).checked = false;
    } else {
      return;
    }
    show();
  }

  function clicked(event) {
    const box = event.target.closest('input[type="checkbox"]');
    if (!box) return;
    const index = entries().findIndex((entry) => entry.contains(box));
    if (event.shiftKey && anchor !== null && box.checked) choose(anchor, index);
    anchor = index;
    show();
  }

  entries().forEach((entry, index) => entry.setAttribute("tabindex", index === 0 ? "0" : "-1"));
  list.addEventListener("keydown", keyed);
  list.addEventListener("click", clicked);
  list.addEventListener("change", show);
  list.addEventListener("focusin", (event) => {
    const index = entries().findIndex((entry) => entry === event.target);
    if (index >= 0) current = index;
  });
  window.addEventListener("pageshow", show);
  show();
}
