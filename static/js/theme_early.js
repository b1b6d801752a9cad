// Runs before the first paint, so that a chosen theme does not flash in the other one.
(function () {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is switched off: the system's theme stays.
  }
})();
