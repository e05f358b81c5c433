import { expect, test } from "vitest";
import { attributeText, panelAddress } from "./host";
import { hexColor } from "./pickers";

test.each([
  ["text", "text"],
  ["", ""],
  [7, "7"],
  [false, "false"],
  [{ font: "16px serif" }, '{"font":"16px serif"}'],
  [["a"], '["a"]'],
  [null, null],
  [undefined, null],
])("setProp(%j) writes the attribute %j", (value, text) => {
  expect(attributeText(value)).toBe(text);
});

test("the panel's URL keeps its own query and gets Wix's parameters", () => {
  const url = new URL(
    panelAddress({
      panelUrl: "https://h/panel/?v=1",
      appId: "app&1",
      instance: "signature.payload",
      language: "en",
    }),
  );
  expect(url.searchParams.get("v")).toBe("1");
  expect(url.searchParams.get("editorType")).toBe("CLASSIC");
  expect(url.searchParams.get("appDefinitionId")).toBe("app&1");
  expect(url.searchParams.get("instance")).toBe("signature.payload");
  expect(JSON.parse(url.searchParams.get("essentials") ?? "")).toMatchObject({
    language: "en",
    locale: "en",
  });
});

test.each([
  ["#6d2a4c", "#6d2a4c"],
  [" 6D2A4C ", "#6d2a4c"],
  ["#fa0", "#ffaa00"],
  ["#6d2a", null],
  ["#6d2a4c80", null],
  ["red", null],
  ["", null],
  ["var(--x, #fff)", null],
])("the color code %j is %j", (text, color) => {
  expect(hexColor(text)).toBe(color);
});
