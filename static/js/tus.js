// A tus 1.0 client: one file in pieces, resumed after lost connections and reloads.

import { ApiError, errorFrom } from "./api.js";
import { t } from "./i18n.js";

const VERSION = "1.0.0";
const PIECE_BYTES = 16 * 1024 * 1024;
const LONGEST_WAIT_S = 30;

const key = (file) => `upload:${file.name}:${file.size}:${file.lastModified}`;

function remembered(file) {
  try {
    return localStorage.getItem(key(file));
  } catch {
    return null;
  }
}

function remember(file, url) {
  try {
    if (url) localStorage.setItem(key(file), url);
    else localStorage.removeItem(key(file));
  } catch {
    // Storage is switched off: a reload starts from the beginning.
  }
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** One request through XMLHttpRequest, the only way to see the bytes leave. */
function request(method, url, { headers = {}, body = null, signal, onProgress = () => {} }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open(method, url);
    xhr.setRequestHeader("Tus-Resumable", VERSION);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    xhr.addEventListener("load", () => resolve(xhr));
    xhr.addEventListener("error", () => reject(new ApiError(t("network"))));
    xhr.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    xhr.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    signal.addEventListener("abort", abort);
    if (signal.aborted) reject(new DOMException("stopped", "AbortError"));
    else xhr.send(body);
  });
}

function waited(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    }, { once: true });
  });
}

async function create(url, file, signal) {
  const answer = await request("POST", url, {
    signal,
    headers: { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${base64(file.name)}` },
  });
  if (answer.status !== 201) throw errorFrom(answer.status, answer.responseText);
  return new URL(answer.getResponseHeader("Location"), new URL(url, location.href)).pathname;
}

/** Return how many bytes the server has, or null where the upload is gone. */
async function offsetOf(uploadUrl, signal) {
  const answer = await request("HEAD", uploadUrl, { signal });
  if (answer.status === 404 || answer.status === 410) return null;
  if (answer.status >= 400) throw errorFrom(answer.status, answer.responseText);
  return Number(answer.getResponseHeader("Upload-Offset"));
}

async function sendPiece(uploadUrl, file, offset, { signal, onProgress }) {
  const answer = await request("PATCH", uploadUrl, {
    signal,
    headers: { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
    body: file.slice(offset, offset + PIECE_BYTES),
    onProgress: (loaded) => onProgress(offset + loaded),
  });
  if (answer.status !== 204) throw errorFrom(answer.status, answer.responseText);
  return Number(answer.getResponseHeader("Upload-Offset"));
}

/** Connection lost, piece already there, another piece still being written, server restarting. */
const PASSING_STATUSES = new Set([0, 409, 423, 502, 503, 504]);
const isPassing = (error) => error instanceof ApiError && PASSING_STATUSES.has(error.status);

/**
 * Send `file` and return the upload's id. Lost connections are waited out with
 * growing pauses; `signal` stops it, and a later call continues.
 */
export async function uploadFile(url, file, { signal, onProgress, onResume, onReconnect }) {
  let uploadUrl = remembered(file);
  let offset = uploadUrl ? null : 0;
  let waitS = 1;
  for (;;) {
    try {
      if (uploadUrl && offset === null) {
        offset = await offsetOf(uploadUrl, signal);
        if (offset === null) uploadUrl = null;
        else onResume(offset);
      }
      if (!uploadUrl) {
        uploadUrl = await create(url, file, signal);
        remember(file, uploadUrl);
        offset = 0;
      }
      while (offset < file.size) {
        offset = await sendPiece(uploadUrl, file, offset, { signal, onProgress });
        onProgress(offset);
        waitS = 1;
      }
      return uploadUrl.split("/").pop();
    } catch (error) {
      const isGone = error instanceof ApiError && (error.status === 404 || error.status === 410);
      if (isGone) {
        forget(file);
        throw new ApiError(t("upload.expired"), { status: error.status, code: "upload.not_found" });
      }
      if (!isPassing(error)) throw error;
      offset = null;
      onReconnect(waitS);
      await waited(waitS, signal);
      waitS = Math.min(LONGEST_WAIT_S, waitS * 2);
    }
  }
}

/** Forget where `file` was being sent: it is used up or given up. */
export function forget(file) {
  remember(file, null);
}

/** Give an unfinished upload up and tell the server. */
export async function abandon(file) {
  const uploadUrl = remembered(file);
  forget(file);
  if (uploadUrl) await fetch(uploadUrl, { method: "DELETE", headers: { "Tus-Resumable": VERSION } }).catch(() => {});
}
