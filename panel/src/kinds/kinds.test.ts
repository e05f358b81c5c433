import { describe, expect, it } from "vitest";
import { messagesFor } from "../messages";
import { choice, fitsARow } from "./choice";
import { color } from "./color";
import { describeFont, font } from "./font";
import type { Field } from "./kind";
import { addressOf, isLink, link } from "./link";
import { number } from "./number";
import { secret } from "./secret";
import { text } from "./text";
import { toggle } from "./toggle";

const label = { en: "A label" };
const messages = messagesFor("en");
const attribute = "a-b";
const of = ["start", "end"].map((value) => ({ value, label: { en: value.toUpperCase() } }));

const name = text("a", { attribute, fallback: "friend", max: 5, label });
const ofSite = text("a", { fallback: "Hello", min: 2, max: 5, label });
const paint = color("a", { attribute, fallback: "#123456", label });
const letters = font("a", { attribute, placeholder: { en: "System font" }, label });
const side = choice("a", { attribute, fallback: "start", of, also: ["left"], label });
const on = toggle("a", { attribute, fallback: true, label });
const off = toggle("a", { attribute, fallback: false, label });
const size = number("a", { attribute, fallback: 5, min: 1, max: 10, label });
const target = link("a", { attribute, label });
const key = secret("a", { label });
const none = { font: "", textDecoration: "" };

describe("reading", () => {
  it.each<[string, Field, unknown, unknown]>([
    ["a text that is absent is empty: the widget shows its default", name, null, ""],
    ["a text is unchanged", name, " Ada ", " Ada "],
    ["a text that is no text is absent", name, 7, ""],
    ["a text of the site has its default", ofSite, undefined, "Hello"],
    ["a text of the site may be empty", ofSite, "", ""],
    ["a color of the theme is unchanged", paint, "var(--x, #fff)", "var(--x, #fff)"],
    ["a color that is empty is the default", paint, " ", "#123456"],
    ["a choice", side, "end", "end"],
    ["a choice that is no longer offered", side, "left", "left"],
    ["an unknown choice is the default", side, "justify", "start"],
    ["a switch is on for true", off, "true", true],
    ["a switch is on for an attribute without a value", off, "", true],
    ["a switch is off for false", on, "false", false],
    ["a switch is its default for anything else", on, "0", true],
    ["a switch is its default when it is absent", off, null, false],
    ["a switch of the site", on, false, false],
    ["a font", letters, '{"font":"16px Arial"}', { font: "16px Arial", textDecoration: "" }],
    [
      "a font with a decoration",
      letters,
      '{"font":"16px Arial","textDecoration":"underline"}',
      { font: "16px Arial", textDecoration: "underline" },
    ],
    [
      "a font of the site",
      letters,
      { font: "a", textDecoration: 1 },
      { font: "a", textDecoration: "" },
    ],
    ["a font that is no JSON", letters, "16px Arial", none],
    ["a font that is JSON's null", letters, "null", none],
    ["a font without a font", letters, '{"textDecoration":"underline"}', none],
    ["a font that is empty", letters, '{"font":" "}', none],
    ["a font that is a number", letters, '{"font":16}', none],
    ["a number", size, "7", 7],
    ["a number of the site", size, 7, 7],
    ["a number beyond its limit is at the limit", size, "70", 10],
    ["a number that is none is the default", size, "seven", 5],
    ["a number that is empty is the default", size, "", 5],
    ["a number that is absent is the default", size, null, 5],
    ["a link is unchanged", target, "https://wix.com", "https://wix.com"],
    ["a link that is absent is empty", target, null, ""],
    ["a secret that is set", key, true, true],
    ["a secret that the server would give out is not read", key, "hunter2", false],
  ])("%s", (_, field, raw, value) => {
    expect(field.parse(raw)).toEqual(value);
  });
});

describe("writing an attribute", () => {
  it.each<[string, Field, unknown, string]>([
    [
      "a font is JSON",
      letters,
      { font: "16px Arial", textDecoration: "" },
      '{"font":"16px Arial"}',
    ],
    ["no font is empty", letters, none, ""],
    ["a switch is a word", on, false, "false"],
    ["a number", size, 7.5, "7.5"],
  ])("%s", (_, field, value, written) => {
    expect(field.format(value)).toBe(written);
  });

  // Among them the three markers of @wix/editor-platform-transport.
  it.each(["°", "ƒ", "∂", "∂x", "x°", "ƒƒ", "·", "×A", "", "Zoë 🎉"])(
    "the text %j survives writing and reading, and is no marker of the transport",
    (given) => {
      for (const field of [name, target]) {
        const written = field.format(given);
        expect(written).not.toMatch(/^[°ƒ]$|^∂/);
        expect(field.parse(written)).toBe(given);
      }
    },
  );
});

describe("what is wrong", () => {
  const even = number("a", { fallback: 2, min: 0, step: 2, label });
  const odd = number("a", { fallback: 1, min: 1, step: 2, label });
  const whole = number("a", { fallback: 1, whole: true, label });
  it.each<[Field, unknown, string | null]>([
    [name, "", null],
    [name, "🎉🎉🎉🎉🎉", null],
    [name, " 12345 ", null],
    [name, "123456", "must have at most 5 characters"],
    [ofSite, "  ", "must not be empty"],
    [ofSite, "a", "must have at least 2 characters"],
    [ofSite, "a\tb", "must not contain control characters"],
    [ofSite, "a\u0085b", "must not contain control characters"],
    [ofSite, "a\u202eb", "must not contain control characters"],
    [ofSite, "a\u2066b\u2069", "must not contain control characters"],
    [ofSite, "a\u2028b", "must not contain control characters"],
    [ofSite, "a\u{e0061}\u{e007f}", "must not contain control characters"],
    [ofSite, "a\ud83db", "is not valid Unicode text"],
    [side, "left", null],
    [side, "up", "must be one of the choices"],
    [size, 10, null],
    [size, 11, "must be at most 10"],
    [size, 0, "must be at least 1"],
    [size, Number.NaN, "must be a number"],
    [whole, 1.5, "must be a whole number"],
    [even, 4, null],
    [even, 3, "must be a multiple of 2"],
    [odd, 4, "must be in steps of 2 from 1"],
    [number("a", { fallback: 0, step: 0.1, label }), 0.3, null],
    [target, "", null],
    [target, "tel:+1 555", "must be a link that begins with https://, http://, mailto: or tel:"],
    [target, `https://wix.com/${"x".repeat(2048)}`, "must have at most 2048 characters"],
    [key, true, null],
    [key, "", null],
    [
      key,
      "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} 👩‍🚀 می‌خواهم \u200f",
      null,
    ],
    [key, "a\nb", "must not contain control characters"],
  ])("%#: %j", (field, value, words) => {
    const wrong = field.check(value);
    expect(wrong && messages.wrong(wrong)).toBe(words);
  });

  it("is said in the server's words where only the server knows", () => {
    expect(messages.wrong({ reason: "refused", words: "must not be rude" })).toBe(
      "must not be rude",
    );
  });
});

describe("a link", () => {
  it.each([
    ["https://wix.com", true],
    ["HTTP://wix.com/a?b#c", true],
    ["mailto:ada@example.com", true],
    ["tel:+15550100", true],
    ["wix.com", false],
    ["/about", false],
    ["https:wix.com", false],
    ["https://", false],
    ["mailto:", false],
    ["javascript:alert(1)", false],
    ["https://a b", false],
    ["https://a\\b", false],
    ['https://a"b', false],
  ])("%s", (value, valid) => {
    expect(isLink(value)).toBe(valid);
  });

  it.each([
    [{ type: "ExternalLink", url: "https://wix.com" }, "https://wix.com"],
    [{ type: "EmailLink", recipient: "ada@example.com" }, "mailto:ada@example.com"],
    [{ type: "PhoneLink", phoneNumber: "+15550100" }, "tel:+15550100"],
    [{ type: "PageLink", pageId: "p" }, ""],
    [{ type: "ExternalLink", url: "javascript:alert(1)" }, ""],
    [null, ""],
  ])("that the editor's picker returns: %j", (chosen, address) => {
    expect(addressOf(chosen)).toBe(address);
  });
});

describe("a value in words", () => {
  const say = (words: { en: string }) => words.en;
  it.each<[Field, unknown, string]>([
    [ofSite, "Hi", "Hi"],
    [side, "end", "END"],
    [side, "left", "left"],
    [on, true, "On"],
    [number("a", { fallback: 1, unit: "px", label }), 7, "7 px"],
    [letters, { font: "16px Arial", textDecoration: "" }, "Arial, 16px"],
    [letters, none, "System font"],
    [key, true, "Set"],
    [key, "a new one", "Set"],
    [key, "", "Not set"],
  ])("%#: %j", (field, value, words) => {
    expect(field.show(value, say, messages)).toBe(words);
  });
});

describe("the label of a font", () => {
  it.each([
    ['italic bold 24px "Georgia","serif"', "Georgia, 24px"],
    ['16px "Open Sans"', "Open Sans, 16px"],
    ['var(--wst-heading-4-font, bold 30px "Madefor","x")', "Heading 4: Madefor, 30px"],
    ["var(--wst-paragraph-2-font, 16px Arial)", "Paragraph 2: Arial, 16px"],
    ['var(--other, bold 30px "Madefor","x")', "Madefor, 30px"],
    ["normal 1.5em/1.2 Arial", "Arial, 1.5em"],
    ["inherit", "inherit"],
  ])("%s", (font, words) => {
    expect(describeFont(font, messages)).toBe(words);
  });
});

describe("a choice", () => {
  it.each([
    [["Start", "Center", "End"], true],
    [["Left aligned", "Centered", "Right"], false],
    [["1", "2", "3", "4"], false],
  ])("with %j stands side by side: %s", (labels, fits) => {
    expect(fitsARow(labels)).toBe(fits);
  });
});

it("a secret cannot be undone, since it is never read", () => {
  expect(key.undo).toBe(false);
});
