// One polite live region for what happens without the focus.

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
