// How the first page writes times, durations and bodies.

import { duration } from "../lifecycle";

/** The time of day by the browser's zone, with the day where it is not that of now. */
export function timeOfDay(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) {
    return "";
  }
  const two = (n: number) => String(n).padStart(2, "0");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  if (at.toDateString() === now.toDateString()) {
    return time;
  }
  const day = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return at.getFullYear() === now.getFullYear()
    ? `${day} ${time}`
    : `${at.getFullYear()}-${day} ${time}`;
}

/** A time to the millisecond, by Wix's zone. */
export function exactly(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

/** How long something took. */
export function took(ms: number): string {
  if (ms >= 60_000) {
    return duration(ms);
  }
  if (ms >= 1000) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  return ms < 10 ? `${Math.max(0.1, ms).toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** How far a clock is ahead, in its two largest units, or "" for less than a second. */
export function ahead(ms: number): string {
  let seconds = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ] as const) {
    const n = Math.floor(seconds / size);
    seconds -= n * size;
    if (n > 0 && parts.length < 2) {
      parts.push(`${n} ${unit}`);
    }
  }
  return parts.join(" ");
}

/** A body as text: JSON is laid out, all else is as it is. */
export function laidOut(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The start of an id, which is enough to distinguish ids. */
export const shortId = (id: string): string => id.slice(0, 8);

export const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
