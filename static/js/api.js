// The JSON API: every refusal becomes an ApiError whose message can be shown.

import { t } from "./i18n.js";

export class ApiError extends Error {
  constructor(message, { status = 0, code = "network" } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Return the error that a JSON error body describes, whatever the body is. */
export function errorFrom(status, bodyText) {
  try {
    const { code, message } = JSON.parse(bodyText).error;
    return new ApiError(message, { status, code });
  } catch {
    return new ApiError(t("unexpected", { status }), { status, code: "unexpected" });
  }
}

/** Send a request and return its JSON body, null where there is none. */
export async function send(method, url, { body, signal } = {}) {
  let response;
  try {
    response = await fetch(url, {
      method,
      signal,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("network"));
  }
  const text = await response.text();
  if (!response.ok) throw errorFrom(response.status, text);
  return text ? JSON.parse(text) : null;
}

export const getJson = (url, options) => send("GET", url, options);
