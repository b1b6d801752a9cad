// Ask before a form that destroys something is sent.

import { t } from "./i18n.js";

/** Show `question`; resolve to whether the answer is yes. */
export function confirmed(question, yesLabel) {
  const dialog = document.getElementById("confirm-dialog");
  dialog.querySelector("#confirm-text").textContent = question;
  dialog.querySelector("[data-confirm-yes]").textContent = yesLabel;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

export function watchConfirmations() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const kind = form.dataset.confirmKind;
    if (!kind || event.defaultPrevented) return;
    event.preventDefault();
    if (await confirmed(t(`confirm.${kind}`, { name: form.dataset.name }), t("confirm.yes"))) form.submit();
  });
}
