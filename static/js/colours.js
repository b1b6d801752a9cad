// One stable colour for every track number, the same over the video, in the timeline and in the strip.

const GOLDEN_ANGLE_DEG = 137.508;

/** Neighbouring numbers get far hues; lightness is even, so that none is hard to see on either theme. */
export function trackColour(number) {
  return `oklch(0.7 0.17 ${((number * GOLDEN_ANGLE_DEG) % 360).toFixed(1)})`;
}

/** The text colour that reads well on every track colour. */
export const ON_TRACK = "#0a0e12";
