import { describe, expect, it } from "vitest";
import { name } from "../../app.json";
import { directionFor } from "./direction";
import { messagesFor } from "./messages";
import { chooseTokens } from "./tokens";

describe("the direction", () => {
  it.each([
    ["rtl", "en", "rtl"],
    ["RTL", "", "rtl"],
    ["ltr", "he", "rtl"],
    [null, "ar-EG", "rtl"],
    ["ltr", "en-us", "ltr"],
    [undefined, "", "ltr"],
    [7, "arn", "ltr"],
  ])("site direction %j and editor language %j: %s", (site, language, direction) => {
    expect(directionFor(site, language)).toBe(direction);
  });
});

describe("the language", () => {
  it.each(["en", "en-us", "EN_GB", "xx", "", "constructor"])("%j gets English", (language) => {
    expect(messagesFor(language).language).toBe("en");
    expect(messagesFor(language).title).toBe(`${name} Settings`);
  });
});

describe("the tokens", () => {
  it.each([
    ["?editorType=CLASSIC", "default"],
    ["?editorType=STUDIO", "studio"],
    ["", "studio"],
  ])("%j chooses the set that @wix/editor would: %s", (search, tokens) => {
    expect(chooseTokens(search)).toBe(tokens);
  });
});
