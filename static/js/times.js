// Server pages carry UTC; readers see their own zone.

import { moment, wallTime, zoneName } from "./format.js";
import { t } from "./i18n.js";

/** Show every <time data-local> below `root` in the reader's zone and language. */
export function localiseTimes(root) {
  for (const element of root.querySelectorAll("time[data-local]")) {
    const { dateTime, dataset } = element;
    element.textContent = dataset.local === "precise" ? wallTime(new Date(dateTime)) : moment(dateTime);
    element.title = dateTime;
  }
  for (const element of root.querySelectorAll("[data-zone-hint]")) {
    element.textContent = element.closest("label") ? t("zone.short", { zone: zoneName() }) : t("zone", { zone: zoneName() });
  }
  for (const field of root.querySelectorAll("input[type=hidden][name=time_zone]")) field.value = zoneName();
}

/** Return a <time> element for an ISO moment. */
export function timeElement(iso) {
  const element = document.createElement("time");
  element.dateTime = iso;
  element.title = iso;
  element.textContent = moment(iso);
  return element;
}
