// The gallery of identities: choose several by keyboard, then merge, hide or delete them.

import { startChoiceList } from "./choice_list.js";

const list = document.getElementById("gallery");
if (list) {
  startChoiceList(list, {
    count: document.getElementById("choice-count"),
    buttons: document.querySelectorAll("#choice-bar button"),
    open: (entry) => entry.querySelector("h2 a").click(),
  });
}
