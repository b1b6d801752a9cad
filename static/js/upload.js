// The drop zone: collects files, sends them one after the other.

import { UploadRow } from "./upload_row.js";
import { t } from "./i18n.js";

const section = document.getElementById("upload");
const rowsElement = document.getElementById("upload-rows");
const actions = document.getElementById("upload-actions");
const dropzone = document.getElementById("dropzone");
const input = document.getElementById("file-input");
const startButton = actions.querySelector("[data-action=start]");
const clearButton = actions.querySelector("[data-action=clear]");
const settings = {
  uploadsUrl: section.dataset.uploadsUrl,
  videosUrl: section.dataset.videosUrl,
  maxBytes: Number(section.dataset.maxBytes),
  readChoices,
};
let rows = [];
let isSending = false;

/** Return how the videos are to be worked on, as it is chosen now. */
function readChoices() {
  const fields = new FormData(document.getElementById("upload-form"));
  return Object.fromEntries(["preset", "detector", "tracker"].map((name) => [name, fields.get(name)]));
}

const isFinished = (row) => row.state === "done" || row.state === "refused";

function refresh() {
  rows = rows.filter((row) => row.state !== "removed");
  actions.hidden = rows.length === 0;
  startButton.hidden = !rows.some((row) => row.state === "chosen");
  clearButton.hidden = !rows.some(isFinished);
}

async function sendWaiting() {
  if (isSending) return;
  isSending = true;
  try {
    for (let row; (row = rows.find((candidate) => candidate.state === "waiting")); ) await row.run();
  } finally {
    isSending = false;
  }
}

function addFiles(files) {
  const template = document.getElementById("upload-row-template");
  let first = null;
  for (const file of files) {
    const element = template.content.firstElementChild.cloneNode(true);
    rowsElement.append(element);
    const row = new UploadRow(element, file, settings);
    row.camera = rows.at(-1)?.camera ?? "";
    row.addEventListener("change", refresh);
    row.addEventListener("again", () => {
      if (!row.validate()) return;
      row.wait();
      sendWaiting();
    });
    rows.push(row);
    first ??= element;
  }
  refresh();
  const unnamed = first && [...first.querySelectorAll("[data-field=camera]")].find((field) => !field.value);
  unnamed?.focus();
}

function start() {
  const chosen = rows.filter((row) => row.state === "chosen");
  // A name typed once holds for the files after it.
  let camera = "";
  for (const row of chosen) {
    row.camera ||= camera;
    camera = row.camera;
  }
  const valid = chosen.filter((row) => row.validate());
  for (const row of valid) row.wait();
  sendWaiting();
}

startButton.addEventListener("click", start);

clearButton.addEventListener("click", () => {
  for (const row of rows.filter(isFinished)) row.remove();
});

input.addEventListener("change", () => {
  addFiles(input.files);
  input.value = "";
});

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    dropzone.classList.add("is-over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropzone.classList.remove("is-over");
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  dropzone.classList.remove("is-over");
  addFiles(event.dataTransfer.files);
});

addEventListener("beforeunload", (event) => {
  if (!rows.some((row) => ["waiting", "sending", "checking"].includes(row.state))) return;
  event.preventDefault();
  event.returnValue = t("upload.leave");
});

// The plain form only holds the choices now; Enter in one of them starts the uploads.
const plainForm = document.getElementById("upload-form");
plainForm.noValidate = true;
plainForm.addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
plainForm.hidden = true;
document.getElementById("plain-actions").hidden = true;
document.getElementById("upload-live").hidden = false;
