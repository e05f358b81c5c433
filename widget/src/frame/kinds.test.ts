import { afterEach, describe, expect, test, vi } from "vitest";
import { choice, color, font, link, number, text, toggle } from "./kinds";

afterEach(() => vi.unstubAllGlobals());

/** JSON of any type, and what no attribute and no JSON is. */
const odd: unknown[] = [
  null,
  undefined,
  {},
  [],
  ["x"],
  { toString: 1, valueOf: 1 },
  Object.create(null),
  Symbol("x"),
  () => {},
];

test.each<[string, (value: unknown) => unknown, unknown]>([
  ["text", (v) => text(v, "friend"), "friend"],
  ["color", (v) => color(v, "red"), "red"],
  ["font", font, { font: "", textDecoration: "" }],
  ["choice", (v) => choice(v, ["a", "b"], "b"), "b"],
  ["toggle, on", (v) => toggle(v, true), true],
  ["toggle, off", (v) => toggle(v, false), false],
  ["number", (v) => number(v, 7, 0, 9), 7],
  ["link", (v) => link(v, "https://a.example/"), "https://a.example/"],
])("%s gives its fallback for a value of another type", (_, read, want) => {
  for (const value of odd) {
    expect(read(value)).toEqual(want);
  }
});

test.each([
  ["a name", "Ada", "Ada"],
  ["spaces around it", "  Ada L. ", "Ada L."],
  ["empty, as a cleared field leaves it", "", "friend"],
  ["only spaces", " \n ", "friend"],
  ["markup is text", "<b>Ada</b>", "<b>Ada</b>"],
  ["a number", 7, "friend"],
])("text: %s", (_, value, want) => {
  expect(text(value, "friend")).toBe(want);
});

test("text without a fallback is empty", () => {
  expect(text(null)).toBe("");
});

test("color is what the browser knows as one", () => {
  const supports = vi.fn((_: string, value: string) => value === "red");
  vi.stubGlobal("CSS", { supports });
  expect(color(" red ", "blue")).toBe("red");
  expect(color("url(javascript:alert(1))", "blue")).toBe("blue");
  expect(color("}; color: red")).toBe("");
  expect(supports).toHaveBeenCalledWith("color", "red");
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
    ["an object", { font: "700 20px Arial", textDecoration: "none" }, "700 20px Arial", "none"],
    ...[
      "normal normal 700 clamp(1rem, 2.0833vw, 3.75rem)/1.2em raleway",
      "15.1234px/1.2 avenir-lt-w01_35-light1475496",
      "999px wfont_8b2b1f_9e8d1c4f",
      "2em serif",
    ].map((size): [string, unknown, string, string] => [size, { font: size }, size, ""]),
    ["a field of the wrong type", '{"font":7,"textDecoration":["underline"]}', "", ""],
  ])("%s", (_, value, wantFont, wantDecoration) => {
    expect(font(value)).toEqual({ font: wantFont, textDecoration: wantDecoration });
  });
  test.each([
    ["absent", null],
    ["empty", ""],
    ["a bare CSS font", "700 20px Arial"],
    ["a size that covers the page", '{"font":"9999px serif"}'],
    ["one with an exponent", '{"font":"9e9px serif"}'],
    ["one in a function", '{"font":"calc(1px + 1000em) serif"}'],
    ["a line that high", '{"font":"20px/5000px serif"}'],
    ["cut short", '{"font":"700'],
    ["null", "null"],
    ["a number", "7"],
    ["a string", '"Arial"'],
    ["a list", '["Arial"]'],
    ["too deep", "[".repeat(100_000)],
  ])("is ignored when wrong: %s", (_, value) => {
    expect(font(value)).toEqual(none);
  });
  test("is ignored when the browser knows none of it", () => {
    vi.stubGlobal("CSS", { supports: () => false });
    expect(font('{"font":"}","textDecoration":"}"}')).toEqual(none);
  });
});

test.each([
  ["one of them", "end", "end"],
  ["spaces around it", " end ", "end"],
  ["in capitals", "END", "start"],
  ["empty", "", "start"],
  ["a part of one", "en", "start"],
  ["a property of a list", "length", "start"],
])("choice: %s", (_, value, want) => {
  expect(choice(value, ["start", "center", "end"])).toBe(want);
});

test.each<[string, unknown, boolean, boolean]>([
  ["true", "true", true, true],
  ["empty, as an attribute without a value", "", true, true],
  ["anything else", "no", true, false],
  ["a number", 1, true, false],
  ["false", "false", false, false],
  ["false in capitals", " FALSE ", false, false],
  ["JSON true", true, true, true],
  ["JSON false", false, false, false],
])("toggle: %s", (_, value, whenOn, whenOff) => {
  expect([toggle(value, true), toggle(value, false)]).toEqual([whenOn, whenOff]);
});

test.each<[string, unknown, number]>([
  ["a number", 4, 4],
  ["as an attribute", " 4.5 ", 4.5],
  ["zero", "0", 0],
  ["below", "-1", 7],
  ["above", 1e300, 7],
  ["empty", "", 7],
  ["spaces", "  ", 7],
  ["words", "four", 7],
  ["no number", Number.NaN, 7],
  ["endless", "Infinity", 7],
  ["a toggle", true, 7],
])("number: %s", (_, value, want) => {
  expect(number(value, 7, 0, 9)).toBe(want);
});

test("number without limits has none", () => {
  expect([number("-1e9", 7), number(1e9, 7)]).toEqual([-1e9, 1e9]);
});

test.each([
  ["a page", " https://a.example/x?y#z ", "https://a.example/x?y#z"],
  ["without TLS", "http://a.example", "http://a.example/"],
  ["a mailbox", "mailto:ada@a.example", "mailto:ada@a.example"],
  ["a telephone", "tel:+49301234", "tel:+49301234"],
  ["a script", "javascript:alert(1)", ""],
  ["a script in disguise", "java\nscript:alert(1)", ""],
  ["data", "data:text/html,x", ""],
  ["a file", "file:///etc/passwd", ""],
  ["a path", "/contact", ""],
  ["words", "my site", ""],
  ["no host", "https://", ""],
  ["empty", "", ""],
])("link: %s", (_, value, want) => {
  expect(link(value)).toBe(want);
});
