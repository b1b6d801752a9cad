// The page of an identity: the time axis, choosing sightings by keyboard, and the film being made.

import { startChoiceList } from "./choice_list.js";
import { startFilm } from "./identity_film.js";
import { drawRoute } from "./route_axis.js";

const byId = (id) => document.getElementById(id);

const axis = byId("identity-axis");
if (axis) {
  const sightings = JSON.parse(byId("axis-data").textContent);
  const draw = () => drawRoute(axis, sightings);
  new ResizeObserver(draw).observe(axis);
  draw();
}

const route = byId("route");
if (route && route.children.length) {
  startChoiceList(route, {
    count: byId("choice-count"),
    buttons: document.querySelectorAll("#route-form .choice-actions button"),
    open: (entry) => entry.querySelector("a").click(),
  });
}

const film = byId("film-state");
if (film && film.dataset.jobUrl) startFilm(film);
