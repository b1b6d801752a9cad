// The video page: makes the parts and connects them.

import { startAnnotated } from "./annotated.js";
import { announce } from "./announce.js";
import { getJson } from "./api.js";
import { BoxesStore } from "./boxes_store.js";
import { startControls } from "./controls.js";
import { startEditForm } from "./edit_form.js";
import { t } from "./i18n.js";
import { startJobHere } from "./job_here.js";
import { startKeyboard } from "./keyboard.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { Presence } from "./presence.js";
import { TimeAxis } from "./time_axis.js";
import { Timeline } from "./timeline.js";
import { trackTitle } from "./track_words.js";
import { TracksStrip } from "./tracks_strip.js";
import { ViewState } from "./view_state.js";

const PRESENCE_BINS = 400;
const byId = (id) => document.getElementById(id);

function searchFor(track) {
  if (track) location.assign(track.search_url);
}

/** Player, overlay, controls and keys: they work before the tracks are here. */
function startPlayer(page, view, tracksByNumber) {
  const video = byId("video");
  const duration_s = Number(page.dataset.duration);
  byId("stage").style.setProperty("--ratio", `${page.dataset.width} / ${page.dataset.height}`);
  const player = new Player(video, { frameRate: Number(page.dataset.frameRate), duration_s });
  const store = new BoxesStore(page.dataset.boxesUrl, duration_s);
  const titleOf = (number) => (tracksByNumber.has(number) ? trackTitle(tracksByNumber.get(number)) : String(number));
  const overlay = new Overlay(byId("overlay"), video, { player, store, view, titleOf });
  const message = byId("stage-message");
  for (const [target, name] of [[player, "frame"], [store, "load"], [view, "change"], [video, "loadeddata"]]) {
    target.addEventListener(name, () => overlay.draw());
  }
  store.addEventListener("load", () => (message.hidden = !video.error));
  store.addEventListener("error", ({ detail }) => {
    message.textContent = t("player.boxes_error", { message: detail.message });
    message.hidden = false;
  });
  overlay.addEventListener("pick", ({ detail: number }) => {
    if (number === null) player.toggle();
    else view.follow(number === view.followed ? null : number);
  });
  startControls(byId("player"), video, { player, view });
  startKeyboard({ player, view, playerElement: byId("player"), searchFollowed: () => searchFor(tracksByNumber.get(view.followed)) });
  return { player, overlay };
}

/** Strip, bars and chart: they need the list of tracks. */
function startTracks(page, { player, overlay, view, tracks, presence }) {
  const panel = byId("tracks-panel");
  const section = byId("timeline");
  panel.hidden = false;
  section.hidden = tracks.length === 0;
  const axis = new TimeAxis(byId("time-area"), {
    bars: byId("bars"),
    ruler: byId("time-ruler"),
    playhead: byId("playhead"),
    duration_s: Number(page.dataset.duration),
  });
  const inOrder = [...tracks].sort((a, b) => a.first_s - b.first_s || a.number - b.number);
  const strip = new TracksStrip(panel, { view, tracks });
  const timeline = new Timeline(byId("bars"), { space: byId("bars-space"), canvas: byId("bars-canvas"), axis, view, tracks: inOrder });
  const chart = new Presence(byId("presence"), { data: presence, axis, readout: byId("presence-readout"), legendVehicle: byId("legend-vehicle") });

  const go = ({ detail: { track, time_s } }) => {
    view.follow(track.number);
    player.seek(time_s);
  };
  strip.addEventListener("go", go);
  timeline.addEventListener("go", go);
  timeline.addEventListener("search", ({ detail }) => searchFor(detail));
  strip.addEventListener("leave", () => view.follow(null));
  chart.addEventListener("go", ({ detail }) => player.seek(detail));
  const showMoment = () => {
    axis.movePlayhead(player.time_s);
    strip.markVisible(overlay.boxes.map((box) => box.track));
  };
  overlay.addEventListener("draw", showMoment);
  const layOut = () => {
    timeline.refresh();
    axis.layOut();
    timeline.draw();
    showMoment();
  };
  new ResizeObserver(layOut).observe(byId("time-area"));
  layOut();
}

function announceFollowing(view, tracksByNumber) {
  view.addEventListener("change", ({ detail }) => {
    if (detail !== "followed") return;
    const track = tracksByNumber.get(view.followed);
    announce(track ? t("track.following", { title: trackTitle(track) }) : t("track.left"));
  });
}

/** A link may name a moment and a track: ?t=12.5&track=3. */
function goToLinkedMoment(player, view, tracksByNumber) {
  const query = new URLSearchParams(location.search);
  const number = Number(query.get("track"));
  const track = tracksByNumber.get(number);
  if (track) view.follow(number);
  if (query.has("t") || track) player.seek(Number(query.get("t") ?? track.first_s) || 0);
}

async function startResult(page) {
  const view = new ViewState();
  const tracksByNumber = new Map();
  const { player, overlay } = startPlayer(page, view, tracksByNumber);
  try {
    const [{ tracks }, presence] = await Promise.all([
      getJson(page.dataset.tracksUrl),
      getJson(`${page.dataset.presenceUrl}?bins=${PRESENCE_BINS}`),
    ]);
    for (const track of tracks) tracksByNumber.set(track.number, track);
    startTracks(page, { player, overlay, view, tracks, presence });
  } catch (error) {
    byId("tracks-panel").hidden = false;
    byId("tracks-error").hidden = false;
    byId("tracks-error").textContent = error.message;
    return;
  }
  announceFollowing(view, tracksByNumber);
  goToLinkedMoment(player, view, tracksByNumber);
}

const jobHere = byId("job-here");
if (jobHere) startJobHere(jobHere);
startEditForm(byId("edit-form"));
if (byId("annotated")) startAnnotated(byId("annotated"));
const page = byId("video-page");
if (page) startResult(page);
