import { describe, expect, test } from "vitest";
import { apiAddress } from "./address";

const hash = "0123456789abcdef";

describe("from the URL of the script", () => {
  test.each([
    ["the stable URL", "https://a.example/widget.js", "https://a.example/api/"],
    ["a base path", "https://a.example/x/y/widget.js", "https://a.example/x/y/api/"],
    ["a port", "http://127.0.0.1:8080/widget.js", "http://127.0.0.1:8080/api/"],
    ["a query for a new copy", "https://a.example/widget.js?v=2#x", "https://a.example/api/"],
    ["the hashed URL", `https://a.example/widget/widget-${hash}.js`, "https://a.example/api/"],
    [
      "the hashed URL under a base path",
      `https://a.example/x/widget/widget-${hash}.js`,
      "https://a.example/x/api/",
    ],
    [
      "a base path that is called widget",
      "https://a.example/widget/widget.js",
      "https://a.example/widget/api/",
    ],
    [
      "the hashed URL under a base path that is called widget",
      `https://a.example/widget/widget/widget-${hash}.js`,
      "https://a.example/widget/api/",
    ],
    [
      "a folder that only ends in widget",
      `https://a.example/my-widget/widget-${hash}.js`,
      "https://a.example/my-widget/api/",
    ],
    ["credentials are dropped", "https://u:p@a.example/widget.js", "https://a.example/api/"],
    ["a blob URL has no server", "blob:https://a.example/123", undefined],
    ["a data URL has none", "data:text/javascript,0", undefined],
    ["a file URL has none", "file:///srv/widget.js", undefined],
    ["no URL", "widget.js", undefined],
  ])("%s", (_, script, want) => {
    expect(apiAddress(null, script, [])).toBe(want);
    expect(apiAddress(" \n", script, [])).toBe(want);
  });
});

// What a page's markup says about where the visitor's token goes.
describe("from the attribute api-base", () => {
  const script = "https://script.example/x/widget.js";
  const listed = ["https://b.example", "http://localhost:8080"];

  test.each([
    ["the script's origin", "https://script.example/api/", "https://script.example/api/"],
    ["its default port", "https://script.example:443/api/", "https://script.example/api/"],
    ["in capitals", "HTTPS://SCRIPT.EXAMPLE/api/", "https://script.example/api/"],
    ["a path", "/demo/api/", "https://script.example/demo/api/"],
    ["a path beside the script", "demo/api", "https://script.example/x/demo/api/"],
    ["a path above it", "../demo/api/", "https://script.example/demo/api/"],
    ["no more above than there is", "../../../../api/", "https://script.example/api/"],
    ["an origin of the build", "https://b.example/x/api/", "https://b.example/x/api/"],
    ["without a slash at its end", "https://b.example/x/api", "https://b.example/x/api/"],
    ["a bare host", "https://b.example", "https://b.example/"],
    ["plain http, with a port", "http://localhost:8080/api", "http://localhost:8080/api/"],
    ["spaces around", "  https://b.example/api\n", "https://b.example/api/"],
    ["query and fragment are dropped", "https://b.example/api?a=b#c", "https://b.example/api/"],
    ["credentials are dropped", "https://u:p@b.example/api", "https://b.example/api/"],
    ["a text", "<img src=x>", "https://script.example/x/%3Cimg%20src=x%3E/"],
  ])("is used: %s", (_, attribute, want) => {
    expect(apiAddress(attribute, script, listed)).toBe(want);
  });

  test.each([
    ["another host", "https://evil.example/api/"],
    ["without its protocol", "//evil.example/api/"],
    ["with backslashes", "\\\\evil.example\\api\\"],
    ["with one slash too many", "///evil.example/api/"],
    ["with tabs and line ends in it", "/\t/evil.exam\nple/api/"],
    ["the script's host as a user", "https://script.example@evil.example/api/"],
    ["with a password too", "https://script.example:443@evil.example/"],
    ["behind a backslash", "https://evil.example\\@script.example/"],
    ["behind a fragment", "https://evil.example#@script.example/"],
    ["the script's host as a beginning", "https://script.example.evil.example/"],
    ["as an end", "https://evilscript.example/"],
    ["as a path", "https://evil.example/script.example/"],
    ["below it", "https://a.script.example/"],
    ["above it", "https://example/"],
    ["with a dot at its end", "https://script.example./"],
    ["letters that look alike", "https://sсript.example/"],
    ["another protocol", "http://script.example/api/"],
    ["another port", "https://script.example:444/api/"],
    ["another port of a listed host", "http://localhost:8081/api/"],
    ["another protocol of one", "http://b.example/api/"],
    ["a websocket", "wss://script.example/api/"],
    ["javascript", "javascript:alert(1)"],
    ["data", "data:,x"],
    ["blob", "blob:https://script.example/123"],
    ["file", "file:///api/"],
    ["ftp", "ftp://script.example/api/"],
    ["about", "about:blank"],
    ["no host", "https://"],
  ])("is refused: %s", (_, attribute) => {
    expect(apiAddress(attribute, script, listed)).toBeUndefined();
  });

  test("is refused where a script without an origin names an address without one", () => {
    for (const attribute of [
      "javascript:alert(1)",
      "data:,x",
      "file:///x",
      "foo://evil.example/",
    ]) {
      expect(apiAddress(attribute, "file:///srv/widget.js", listed)).toBeUndefined();
      expect(apiAddress(attribute, "data:text/javascript,0", listed)).toBeUndefined();
    }
  });

  test("a script without an origin may have one of the build", () => {
    expect(apiAddress("https://b.example/api/", "data:text/javascript,0", listed)).toBe(
      "https://b.example/api/",
    );
  });

  test("the page's own base does not count", () => {
    const base = document.createElement("base");
    base.href = "https://evil.example/";
    document.head.append(base);
    try {
      expect(apiAddress("api/", script, listed)).toBe("https://script.example/x/api/");
    } finally {
      base.remove();
    }
  });
});
