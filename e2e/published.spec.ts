// URLs that other pages refer to are a contract. Each row has who uses the URL, and a
// marker that only the right file contains.
import { expect, id, Stack, tag, test } from "./stack";

type Row = {
  path: string;
  user: string;
  type: string;
  marker: string;
  cache: "revalidate" | "immutable" | "any";
  anyOrigin: boolean;
};

const rows: Row[] = [
  {
    path: "/widget.js",
    user: "every Wix site with the widget",
    type: "text/javascript; charset=utf-8",
    marker: tag,
    cache: "revalidate",
    anyOrigin: true,
  },
  {
    path: "/widget-class.js",
    user: "pages and CLI projects that wrap the widget's class",
    type: "text/javascript; charset=utf-8",
    marker: "export{",
    cache: "revalidate",
    anyOrigin: true,
  },
  {
    path: "/panel/",
    user: "the Wix app dashboard (settings panel URL)",
    type: "text/html; charset=utf-8",
    marker: "Settings</title>",
    cache: "revalidate",
    anyOrigin: true,
  },
  {
    path: "/install",
    user: "the README and app developers' notes",
    type: "text/html; charset=utf-8",
    marker: tag,
    cache: "any",
    anyOrigin: false,
  },
  {
    path: "/",
    user: "people who try the demo",
    type: "text/html; charset=utf-8",
    marker: `${id} demo`,
    cache: "any",
    anyOrigin: false,
  },
  {
    path: "/healthz",
    user: "orchestrators",
    type: "application/json",
    marker: '"ok"',
    cache: "any",
    anyOrigin: false,
  },
];

for (const base of ["", "/app"]) {
  test.describe(`under ${base || "/"}`, () => {
    let stack: Stack;
    let root = "";
    test.beforeAll(async () => {
      stack = new Stack();
      await stack.start({ base });
      root = stack.app + base;
    });
    test.afterAll(() => stack.stop());

    for (const row of rows) {
      test(`${row.path}, used by ${row.user}`, async () => {
        const response = await fetch(root + row.path);
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toBe(row.type);
        expect(await response.text()).toContain(row.marker);
        expect(response.headers.get("set-cookie")).toBeNull();
        expect(response.headers.get("x-content-type-options")).toBe("nosniff");
        if (row.anyOrigin) {
          expect(response.headers.get("access-control-allow-origin")).toBe("*");
          expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
          expect(response.headers.get("x-frame-options")).toBeNull();
        }
        if (row.cache === "revalidate") {
          expect(response.headers.get("cache-control")).toContain("no-cache");
          const etag = response.headers.get("etag") ?? "";
          const again = await fetch(root + row.path, { headers: { "If-None-Match": etag } });
          expect(again.status).toBe(304);
        }
        const head = await fetch(root + row.path, { method: "HEAD" });
        expect(head.status).toBe(200);
      });
    }

    test("the files of the panel's page are hashed and immutable", async () => {
      const page = await (await fetch(`${root}/panel/`)).text();
      const files = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((m) => m[1]);
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) {
        const response = await fetch(`${root}/panel/${file}`);
        expect(response.status, file).toBe(200);
        expect(response.headers.get("cache-control"), file).toBe(
          "public, max-age=31536000, immutable",
        );
        expect(response.headers.get("content-encoding"), file).toMatch(/^(br|gzip)$/);
        expect(response.headers.get("vary"), file).toContain("Accept-Encoding");
      }
    });

    test("a name that was never published has status 404", async () => {
      for (const path of ["/widget2.js", "/widget/none.js", "/panel/none.js", "/widget.js.br"]) {
        expect((await fetch(root + path)).status, path).toBe(404);
      }
    });
  });
}
