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
    expect(apiAddress(null, script)).toBe(want);
  });
});

describe("from the attribute api-base", () => {
  const script = "https://script.example/widget.js";
  test.each([
    ["with a slash", "https://b.example/x/api/", "https://b.example/x/api/"],
    ["without one", "https://b.example/x/api", "https://b.example/x/api/"],
    ["a bare host", "https://b.example", "https://b.example/"],
    ["plain http", "http://localhost:8080/api", "http://localhost:8080/api/"],
    ["spaces around", "  https://b.example/api\n", "https://b.example/api/"],
    ["query and fragment are dropped", "https://b.example/api?a=b#c", "https://b.example/api/"],
    ["credentials are dropped", "https://u:p@b.example/api", "https://b.example/api/"],
  ])("%s", (_, attribute, want) => {
    expect(apiAddress(attribute, script)).toBe(want);
  });
  test.each([
    ["empty", ""],
    ["a relative path", "/api/"],
    ["a host without its protocol", "//b.example/api/"],
    ["javascript", "javascript:alert(1)"],
    ["data", "data:,x"],
    ["ftp", "ftp://b.example/api/"],
    ["no host", "https://"],
    ["a lone surrogate", "\ud800"],
  ])("is ignored when wrong: %s", (_, attribute) => {
    expect(apiAddress(attribute, script)).toBe("https://script.example/api/");
  });
});
