import { describe, expect, test } from "vitest";
import { font, text, toggle } from "./kinds";

test.each([
  ["a name", "Ada", "Ada"],
  ["spaces around it", "  Ada L. ", "Ada L."],
  ["absent", null, "friend"],
  ["empty, as a cleared field leaves it", "", "friend"],
  ["only spaces", " \n ", "friend"],
  ["markup is text", "<b>Ada</b>", "<b>Ada</b>"],
])("display-name: %s", (_, value, want) => {
  expect(displayName(value)).toBe(want);
});

test.each([
  ["absent", null, true],
  ["true", "true", true],
  ["empty", "", true],
  ["anything else", "no", true],
  ["false", "false", false],
  ["false in capitals", " FALSE ", false],
])("show-status: %s", (_, value, want) => {
  expect(showsStatus(value)).toBe(want);
});

describe("font", () => {
  const none = { font: "", textDecoration: "" };
  test.each([
    [
      "both fields",
      '{"font":"700 20px Arial","textDecoration":"underline"}',
      "700 20px Arial",
      "underline",
    ],
    ["the font alone", '{"font":"700 20px Arial"}', "700 20px Arial", ""],
    ["the decoration alone", '{"textDecoration":"none"}', "", "none"],
    ["a field of the wrong type", '{"font":7,"textDecoration":["underline"]}', "", ""],
  ])("%s", (_, value, wantFont, wantDecoration) => {
    expect(font(value)).toEqual({ font: wantFont, textDecoration: wantDecoration });
  });
  test.each([
    ["absent", null],
    ["empty", ""],
    ["a bare CSS font", "700 20px Arial"],
    ["cut short", '{"font":"700'],
    ["null", "null"],
    ["a number", "7"],
    ["a string", '"Arial"'],
    ["a list", '["Arial"]'],
    ["too deep", "[".repeat(100_000)],
  ])("is ignored when wrong: %s", (_, value) => {
    expect(font(value)).toEqual(none);
  });
});
