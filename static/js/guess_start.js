// Recorders write the start into file names: cam3_20240501_123000.mp4, 2024-05-01 12-30-00.mkv.

const PATTERN = /(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)[-_. T]+([0-2]\d)[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?(?!\d)/;

/** Return the local Date that a file's name tells, or null. */
export function guessStart(name) {
  const found = PATTERN.exec(name);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1).map((text) => Number(text ?? 0));
  const date = new Date(year, month - 1, day, hour, minute, second);
  const isReal = date.getMonth() === month - 1 && date.getDate() === day && date.getHours() === hour;
  return isReal ? date : null;
}
