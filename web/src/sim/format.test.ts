import { expect, test } from "vitest";
import { ahead, exactly, laidOut, sameId, timeOfDay, took } from "./format";

// Times are the browser's own, and so the test takes them apart in the same zone.
const local = (...parts: [number, number, number, number, number, number]) =>
  new Date(...parts).toISOString();
const now = new Date(2026, 11, 1, 9, 0, 0);

test.each([
  ["today", local(2026, 11, 1, 8, 5, 3), "08:05:03"],
  ["yesterday", local(2026, 10, 30, 23, 59, 59), "11-30 23:59:59"],
  ["another year", local(2027, 0, 2, 0, 0, 0), "2027-01-02 00:00:00"],
  ["no time", "", ""],
])("a time %s", (_name, iso, text) => {
  expect(timeOfDay(iso, now)).toBe(text);
});

test.each([
  [0, "0.1 ms"],
  [0.42, "0.4 ms"],
  [9.96, "10.0 ms"],
  [12.4, "12 ms"],
  [1234, "1.2 s"],
  [59_900, "59.9 s"],
  [120_000, "2 min"],
])("%d ms took %s", (ms, text) => {
  expect(took(ms)).toBe(text);
});

test.each([
  [0, ""],
  [400, ""],
  [5000, "5 s"],
  [3_600_000, "1 h"],
  [18_060_000, "5 h 1 min"],
  [90_061_000, "1 d 1 h"],
  [86_400_000, "1 d"],
])("a clock %d ms ahead", (ms, text) => {
  expect(ahead(ms)).toBe(text);
});

test("a body of JSON is laid out, and another is as it is", () => {
  expect(laidOut('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(laidOut('{"a":')).toBe('{"a":');
  expect(laidOut("<p>down</p>")).toBe("<p>down</p>");
});

test("an exact time has milliseconds and no more", () => {
  expect(exactly("2026-12-01T08:30:17.539286699Z")).toBe("2026-12-01T08:30:17.539Z");
  expect(exactly("")).toBe("");
});

test("ids are compared without case", () => {
  expect(sameId("AB-1", "ab-1")).toBe(true);
  expect(sameId("ab-1", "ab-2")).toBe(false);
});
