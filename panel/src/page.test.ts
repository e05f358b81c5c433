import { describe, expect, it } from "vitest";
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
  ])("a site that says %j in an editor in %j is %s", (site, language, direction) => {
    expect(directionFor(site, language)).toBe(direction);
  });
});

describe("the language", () => {
  it.each(["en", "en-us", "EN_GB", "xx", "", "constructor"])(
    "%j is served in English",
    (language) => {
      expect(messagesFor(language).code).toBe("en");
      expect(messagesFor(language).messages.title).toBe("Nametag Settings");
    },
  );
});

describe("the tokens", () => {
  it.each([
    ["?editorType=CLASSIC", "default"],
    ["?editorType=STUDIO", "studio"],
    ["", "studio"],
  ])("%j chooses what @wix/editor would: %s", (search, tokens) => {
    expect(chooseTokens(search)).toBe(tokens);
  });
});
