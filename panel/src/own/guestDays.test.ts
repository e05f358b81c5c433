import { describe, expect, it } from "vitest";
import { Fault } from "../fault";
import type { GuestDay } from "./guestDays";
import { barHeights, guestDaysFrom, totalOf } from "./guestDays";

const week = (...numbers: number[]): GuestDay[] =>
  numbers.map((count, index) => ({ day: `2026-11-${19 + index}`, guests: count }));

describe("the answer", () => {
  it.each([[week(0, 12)], [[]]])("%j is taken", (days) => {
    expect(guestDaysFrom({ days })).toEqual(days);
  });

  it.each([
    ["nothing", null],
    ["no list", {}],
    ["a list of something else", { days: ["2026-11-25"] }],
    ["a day that is no date", { days: [{ day: "2026-13-45", guests: 1 }] }],
    ["a day in another form", { days: [{ day: "25.11.2026", guests: 1 }] }],
    ["a number that is text", { days: [{ day: "2026-11-25", guests: "1" }] }],
    ["a negative number", { days: [{ day: "2026-11-25", guests: -1 }] }],
    ["half a guest", { days: [{ day: "2026-11-25", guests: 0.5 }] }],
  ])("%s is a bad answer", (_, body) => {
    expect(() => guestDaysFrom(body)).toThrow(new Fault("bad_answer"));
  });
});

describe("the total", () => {
  it.each([
    [[], 0],
    [[0, 0, 0], 0],
    [[1, 0, 41], 42],
  ])("of %j is %i", (numbers, total) => {
    expect(totalOf(week(...numbers))).toBe(total);
  });
});

describe("the bars", () => {
  it.each<[string, number[], number[]]>([
    ["the highest day fills its column", [5, 10], [50, 100]],
    ["a day without guests has none", [0, 3], [0, 100]],
    ["one guest beside many can still be seen", [1, 1000], [4, 100]],
    ["a week without guests has none", [0, 0], [0, 0]],
    ["no days", [], []],
  ])("%s", (_, numbers, heights) => {
    expect(barHeights(week(...numbers))).toEqual(heights);
  });
});
