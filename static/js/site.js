// What every page has: theme switch, local times, confirmation, worker banner.

import { watchConfirmations } from "./confirm.js";
import { watchHealth } from "./health.js";
import { startThemeSwitch } from "./theme.js";
import { localiseTimes } from "./times.js";

startThemeSwitch(document.getElementById("theme-switch"));
localiseTimes(document);
watchConfirmations();
watchHealth(document.getElementById("worker-banner"), document.body.dataset.healthUrl);
