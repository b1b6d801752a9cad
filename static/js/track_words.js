// How a track is named and described.

import { duration } from "./format.js";
import { has, t } from "./i18n.js";

/** "Person 12", "Car 3". */
export function trackTitle(track) {
  const key = `class.${track.class_name}`;
  return t(has(key) ? key : `track.${track.kind}`, { number: track.number });
}

/** "Bo", "#17 (proposed)": whose a track is. */
export function identityTitle(identity) {
  const name = identity.name || `#${identity.id}`;
  return identity.is_confirmed ? name : t("identity.proposed", { name });
}

export function trackSpan(track) {
  return t("track.seen", {
    from: duration(track.first_s),
    to: duration(track.last_s),
    length: duration(Math.max(1, track.last_s - track.first_s)),
  });
}
