// @vitest-environment node
// The frame's bytes: what the widget of every app weighs before its face and settings.

import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";
import { names } from "./names";

/** In bytes after brotli. scripts/budget.mjs has the budget of the whole script. */
const most = 2800;

const stubs: Record<string, string> = {
  "/face/face": 'export const css = ""; export const face = () => () => {};',
  // Every kind of setting, so that none is missed.
  "/settings.gen": `
    import * as kinds from "./frame/kinds";
    export const widgetAttributes = [];
    export const readWidget = (attribute) => Object.values(kinds).map((kind) => kind(attribute("x")));
    export const readSite = readWidget;`,
};

test("the frame with every kind of setting and an empty face is within its budget", async () => {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [
      names(),
      {
        name: "stubs",
        enforce: "pre",
        load: (id) => stubs[Object.keys(stubs).find((end) => id.endsWith(`${end}.ts`)) ?? ""],
      },
    ],
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: { input: fileURLToPath(new URL("src/widget.ts", import.meta.url)) },
    },
  });
  if (!("output" in result)) {
    throw new Error("vite gave no single output");
  }
  const [{ code }] = result.output;
  expect(code).toContain("settings-version");
  expect(brotliCompressSync(code).length).toBeLessThanOrEqual(most);
});
