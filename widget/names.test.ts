import { expect, test } from "vitest";
import app, { id, name } from "../app.json";
import { named, names } from "./names";

const transform = names().transform as (code: string, id: string) => string | null;

test("a custom property has the app's id", () => {
  const css = "color: var(--app-color, red); --application: 1";
  expect(transform(css, "/x/widget/src/face/face.css?inline")).toBe(
    `color: var(--${id}-color, red); --application: 1`,
  );
});

test.each(["/x/widget/src/face/face.ts", "/x/panel/src/own.css"])("%s stays as it is", (file) => {
  expect(transform("--app-color", file)).toBeNull();
});

test("a picture has the app's name", () => {
  expect(named("<title>{name}</title>")).toBe(named("<title>{name}</title>", name));
  expect(named("<title>{name}, {name}</title>", "Tag & $& Co")).toBe(
    "<title>Tag &#38; $&#38; Co, Tag &#38; $&#38; Co</title>",
  );
  expect(named('<svg aria-label="{name}"/>', '"Tag & <Name>"')).toBe(
    '<svg aria-label="&#34;Tag &#38; &#60;Name>&#34;"/>',
  );
});

test("the script gets the origins of app.json, or none", () => {
  const { define } = (names().config as () => { define: { apiOrigins: string } })();
  expect(JSON.parse(define.apiOrigins)).toEqual(
    (app as { apiOrigins?: string[] }).apiOrigins ?? [],
  );
});
