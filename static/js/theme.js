// The theme switch: as the system, light, dark. theme_early.js applies the choice before the first paint.

import { t } from "./i18n.js";

const CHOICES = ["auto", "light", "dark"];

function stored() {
  try {
    const theme = localStorage.getItem("theme");
    return CHOICES.includes(theme) ? theme : "auto";
  } catch {
    return "auto";
  }
}

function store(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Storage is switched off: the choice lasts for this page.
  }
}

export function startThemeSwitch(button) {
  let choice = stored();

  function show() {
    if (choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    button.dataset.choice = choice;
    button.title = t(`theme.${choice}`);
    button.querySelector("[data-theme-label]").textContent = t(`theme.${choice}`);
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  button.addEventListener("click", () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    store(choice);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  button.hidden = false;
  show();
}
