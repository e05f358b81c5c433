// @vitest-environment node
import { describe, expect, test } from "vitest";
import { callsForWork, workFor } from "./changes.mjs";

const nothing = { generate: false, templates: [], go: false, wix: false, widget: false };

describe("workFor", () => {
  test.each([
    ["the app's own Go code builds the app", "backend/business/business.go", { go: true }],
    [
      "so do files that are embedded",
      "backend/business/migrations/sqlite/00002_x.sql",
      { go: true },
    ],
    ["the offline Wix has code of its own", "backend/wixsim/token.go", { go: true, wix: true }],
    ["and the pages", "web/pages.go", { go: true, wix: true }],
    ["dependencies are everyone's", "go.mod", { go: true, wix: true }],
    ["a template is generated alone", "web/site.templ", { templates: ["web/site.templ"] }],
    [
      "a declared setting is in Go, the widget and the panel",
      "backend/business/settings.go",
      { generate: true, go: true, widget: true },
    ],
    ["names are everywhere", "app.json", { generate: true, go: true, wix: true, widget: true }],
    ["the widget is built", "widget/src/face/face.css", { widget: true }],
    ["by its configuration, too", "widget/vite.config.ts", { widget: true }],
    ["Vite serves the panel", "panel/src/panel.css", {}],
    ["and the scripts of the pages", "web/src/editor.ts", {}],
    ["a bundle is an output", "widget/dist/widget.js", {}],
    ["so is generated Go", "web/site_templ.go", {}],
    ["and generated TypeScript", "widget/src/settings.gen.ts", {}],
    ["tests are not built", "backend/business/guests_test.go", {}],
    ["nor is what they read", "backend/wix/testdata/token.json", {}],
    ["nor those of the widget", "widget/src/face/face.test.ts", {}],
  ])("%s", (_, path, expected) => {
    expect(workFor([path])).toEqual({ ...nothing, ...expected });
    expect(callsForWork(path)).toBe(Object.keys(expected).length > 0);
  });

  test("files saved together are one piece of work", () => {
    const paths = [
      "web/site.templ",
      "widget/src/widget.ts",
      "backend/api/health.go",
      "web/sim.templ",
    ];
    expect(workFor(paths)).toEqual({
      ...nothing,
      templates: ["web/site.templ", "web/sim.templ"],
      go: true,
      widget: true,
    });
  });
});
