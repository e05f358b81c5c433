import { describe, expect, it } from "vitest";
import type { PropName } from "./props";
import { DEFAULTS, describeFont, formatProp, PROP_NAMES, parseProp } from "./props";

describe("reading an attribute", () => {
  it.each(PROP_NAMES)("%s is its default when the attribute is absent", (name) => {
    expect(parseProp(name, null)).toEqual(DEFAULTS[name]);
    expect(parseProp(name, undefined)).toEqual(DEFAULTS[name]);
  });

  it.each<[string, PropName, unknown, unknown]>([
    ["a name is unchanged", "displayName", " Ada ", " Ada "],
    ["an empty name stays empty", "displayName", "", ""],
    ["a name that is no text is the default", "displayName", 7, ""],
    ["a color of the theme is unchanged", "textColor", "var(--x, #fff)", "var(--x, #fff)"],
    ["an empty color is the default", "backgroundColor", " ", DEFAULTS.backgroundColor],
    ["an unknown alignment is start", "align", "justify", "start"],
    ["center", "align", "center", "center"],
    ["end", "align", "end", "end"],
    ["the status line is off for false", "showStatus", "false", false],
    ["the status line is on for anything else", "showStatus", "0", true],
    ["a font", "font", '{"font":"16px Arial"}', { font: "16px Arial" }],
    [
      "a font with a decoration",
      "font",
      '{"font":"16px Arial","textDecoration":"underline"}',
      { font: "16px Arial", textDecoration: "underline" },
    ],
    [
      "a decoration that is no text is dropped",
      "font",
      '{"font":"a","textDecoration":1}',
      { font: "a" },
    ],
    ["a font that is no JSON", "font", "16px Arial", null],
    ["a font that is JSON's null", "font", "null", null],
    ["a font without a font", "font", '{"textDecoration":"underline"}', null],
    ["a font that is empty", "font", '{"font":" "}', null],
    ["a font that is a number", "font", '{"font":16}', null],
  ])("%s", (_, name, raw, expected) => {
    expect(parseProp(name, raw)).toEqual(expected);
  });
});

describe("writing an attribute", () => {
  it.each<[string, PropName, unknown, string]>([
    ["a font is JSON", "font", { font: "16px Arial" }, '{"font":"16px Arial"}'],
    ["no font is empty", "font", null, ""],
    ["a switch is a word", "showStatus", false, "false"],
  ])("%s", (_, name, value, text) => {
    expect(formatProp(name, value as never)).toBe(text);
  });

  // Among them the three markers of @wix/editor-platform-transport.
  it.each(["°", "ƒ", "∂", "∂x", "x°", "ƒƒ", "·", "×A", "", "Zoë 🎉"])(
    "the name %j survives writing and reading, and is no marker of the transport",
    (name) => {
      const text = formatProp("displayName", name);
      expect(text).not.toMatch(/^[°ƒ]$|^∂/);
      expect(parseProp("displayName", text)).toBe(name);
    },
  );
});

describe("the label of a font", () => {
  it.each([
    ['italic bold 24px "Georgia","serif"', "Georgia, 24px"],
    ['16px "Open Sans"', "Open Sans, 16px"],
    ['var(--wst-font-1, bold 30px "Madefor Display","x")', "Madefor Display, 30px"],
    ["normal 1.5em/1.2 Arial", "Arial, 1.5em"],
    ["inherit", "inherit"],
  ])("%s", (font, words) => {
    expect(describeFont({ font })).toBe(words);
  });
});
