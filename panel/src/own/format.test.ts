import { describe, expect, it } from "vitest";
import { longDate, shortNumber, weekday, wholeNumber } from "./format";

describe("a day", () => {
  it.each([
    ["en", "Wed", "Wednesday, November 25"],
    ["de", "Mi", "Mittwoch, 25. November"],
    ["he", "יום ד׳", "יום רביעי, 25 בנובמבר"],
  ])("in %s is the UTC day wherever the owner is", (language, short, long) => {
    expect(weekday("2026-11-25", language)).toBe(short);
    expect(longDate("2026-11-25", language)).toBe(long);
  });
});

describe("a number", () => {
  it.each([
    [0, "0", "0"],
    [999, "999", "999"],
    [1234, "1,234", "1.2K"],
    [12_345, "12,345", "12K"],
    [999_499, "999,499", "999K"],
    [12_345_678, "12,345,678", "12M"],
  ])("%i is written as %s, and as %s in a narrow column", (value, whole, short) => {
    expect(wholeNumber(value, "en")).toBe(whole);
    expect(shortNumber(value, "en")).toBe(short);
  });
});
