// Figures as people read them, in the page's language.

import { locale } from "./i18n.js";

const percentFormat = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const wallFormat = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "medium" });

/** 75 → "1:15", 3700 → "1:01:40". */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** As `duration`, with tenths: two moments within one second differ. */
export function preciseDuration(seconds) {
  const tenths = Math.floor(Math.max(0, seconds) * 10 + 1e-6);
  return `${duration(tenths / 10)}.${tenths % 10}`;
}

/** 1536 → "1.5 KB"; the same steps as the server's filter. */
export function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let power = 0;
  while (count >= 1024 && power < units.length - 1) {
    count /= 1024;
    power += 1;
  }
  const digits = power && count < 100 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(count)} ${units[power]}`;
}

export const percent = (fraction) => percentFormat.format(fraction);
export const number = (value, digits = 0) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
export const moment = (iso) => momentFormat.format(new Date(iso));
export const wallTime = (date) => wallFormat.format(date);
export const zoneName = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A Date as the value of a datetime-local field, in the browser's zone. */
export function localFieldValue(date) {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60000);
  return shifted.toISOString().slice(0, 19);
}
