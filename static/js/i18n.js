// Sentences come from the page's JSON data block, so that one catalogue serves server and browser.

const strings = JSON.parse(document.getElementById("strings").textContent);
export const locale = document.documentElement.lang;
const plurals = new Intl.PluralRules(locale);

/** Return the sentence of `key` with its {placeholders} filled in. */
export function t(key, params = {}) {
  const template = strings[key] ?? key;
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

/** Return whether there is a sentence under `key`. */
export function has(key) {
  return key in strings;
}

/** Return the sentence of `key.one` or `key.other` for `count`. */
export function plural(key, count) {
  const form = plurals.select(count) === "one" ? "one" : "other";
  return t(`${key}.${form}`, { count: new Intl.NumberFormat(locale).format(count) });
}
