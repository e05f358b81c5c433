// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "src");
const own = /^own\//;
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".test.ts"));
const importsOf = (file: string) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/from "(\.[^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );

describe("the panel's files", () => {
  it("are found", () => {
    expect(files).toContain("main.tsx");
    expect(importsOf("main.tsx")).toContain("./components/App");
  });

  it("drop the messages of other windows before any of them listens", () => {
    const main = readFileSync(join(root, "main.tsx"), "utf8");
    expect(main.match(/^import .*?"([^"]+)"/m)?.[1]).toBe("./parent");
  });

  // A kind that no setting uses is not in the bundle.
  it.each(files.filter((file) => !own.test(file) && !/^(kinds\/|settings\.gen)/.test(file)))(
    "%s imports no kind of settings",
    (file) => {
      expect(importsOf(file).filter((path) => /kinds\/(?!kind$)/.test(path))).toEqual([]);
    },
  );

  // What the app draws itself may go, and the rest still works.
  it.each(files.filter((file) => !own.test(file) && file !== "fields.ts"))(
    "%s imports nothing of the app's own",
    (file) => {
      expect(importsOf(file).filter((path) => /(^|\/)own(\/|$)/.test(path))).toEqual([]);
    },
  );
});
