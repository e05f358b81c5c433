// The widget on a simulated Wix site: on another origin than the server, with the token
// from the page as on Wix. What is here holds for every app; what the shipped name tag shows
// is in shipped/.
import { widgetAttributes } from "../widget/src/settings.gen";
import { listen } from "./listen";
import { expect, expectAccessible, tag, test, watch, watchStates } from "./stack";
import { visit } from "./visit";

test("three copies make one request, and all are ready", async ({ page, stack }) => {
  const seen = watch(page);
  const states = await watchStates(page);
  const requests = await visit(page, stack, { instance: await stack.install(), copies: 3 });
  await expect.poll(() => states.filter((state) => state === "ready")).toHaveLength(3);
  expect(requests).toHaveLength(1);
  expect(seen).toEqual({ errors: [], violations: [] });
  await expectAccessible(page);
});

for (const [kind, status, code] of [
  ["expired", 401, "token_expired"],
  ["inactive", 401, "token_inactive"],
  ["foreign", 403, "token_foreign"],
] as const) {
  test(`a token that is ${kind} is ${status}, and the widget fails with the code`, async ({
    page,
    stack,
  }) => {
    const seen = watch(page);
    const states = await watchStates(page);
    const requests = await visit(page, stack, { instance: await stack.install(), token: kind });
    await expect.poll(() => states.at(-1)).toBe(`failed ${code}`);
    expect((await requests[0]?.response())?.status()).toBe(status);
    expect(seen.errors).toEqual([]);
    await expectAccessible(page);
  });
}

test("with Wix down a new token fails with Retry-After, and a verified one works", async ({
  page,
  stack,
}) => {
  const instance = await stack.install();
  const known = await stack.token({ instanceId: instance });
  expect((await stack.ask("get-instance", known)).status).toBe(200);
  await stack.fault({ status: 503, retryAfter: 1 });

  const states = await watchStates(page);
  const requests = await visit(page, stack, { instance });
  await expect.poll(() => states.at(-1)).toBe("failed wix_unavailable");
  const response = await requests[0]?.response();
  expect(response?.status()).toBe(503);
  expect(Number((await response?.allHeaders())?.["retry-after"])).toBeGreaterThan(0);
  expect((await stack.ask("get-instance", known)).status).toBe(200);
});

test("without a token the widget shows itself, and asks nothing", async ({ page, stack }) => {
  const seen = watch(page);
  const states = await watchStates(page);
  const instance = await stack.install();
  const requests = await visit(page, stack, { instance, token: "none" });
  await expect.poll(() => states).toEqual(["idle"]);
  await expect(page.locator(tag)).toBeVisible();
  expect(requests).toHaveLength(0);
  expect(seen.errors).toEqual([]);
});

test("the widget works under a strict Content-Security-Policy with Trusted Types", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const states = await watchStates(page);
  await visit(page, stack, { instance: await stack.install(), csp: "strict", copies: 2 });
  await expect.poll(() => states.filter((state) => state === "ready")).toHaveLength(2);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a widget far below sends its request when it is scrolled to, and not before", async ({
  page,
  stack,
}) => {
  await page.setViewportSize({ width: 800, height: 300 });
  await page.addInitScript(() => {
    const far = new CSSStyleSheet();
    far.replaceSync("body { padding-top: 3000px }");
    document.adoptedStyleSheets = [far];
  });
  const states = await watchStates(page);
  const requests = await visit(page, stack, { instance: await stack.install() });
  await expect.poll(() => states).toEqual(["idle"]);
  // One frame, after which an observer would have reported.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  expect(requests).toHaveLength(0);
  await page.locator(tag).scrollIntoViewIfNeeded();
  await expect.poll(() => states.at(-1)).toBe("ready");
  expect(requests).toHaveLength(1);
});

test("one script tag loads one file", async ({ page, stack }) => {
  const loaded: string[] = [];
  page.on("response", (response) => {
    if (response.url().startsWith(stack.app)) {
      loaded.push(new URL(response.url()).pathname);
    }
  });
  const states = await watchStates(page);
  await visit(page, stack, { instance: await stack.install() });
  await expect.poll(() => states.at(-1)).toBe("ready");
  expect(loaded.filter((path) => !path.startsWith("/api/"))).toEqual(["/widget.js"]);
});

for (const odd of ["", "<img src=x onerror=alert(1)>", "{broken", "url(javascript:alert(1))"]) {
  test(`odd attributes break nothing: ${JSON.stringify(odd)}`, async ({ page, stack }) => {
    const seen = watch(page);
    const states = await watchStates(page);
    const attributes = ["settings-version", ...widgetAttributes];
    await visit(page, stack, {
      instance: await stack.install(),
      ...Object.fromEntries(attributes.map((name) => [`attr.${name}`, odd])),
    });
    await expect.poll(() => states.at(-1)).toBe("ready");
    expect(seen).toEqual({ errors: [], violations: [] });
  });
}

const success = JSON.stringify({ status: "Success", settings: {}, instance: {} });

test("pages of another origin define the class under tags of their own", async ({
  page,
  stack,
}) => {
  const instance = await stack.install();
  const token = await stack.token({ instanceId: instance });
  const other = await listen((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><my-first></my-first><my-second></my-second>
      <script type="module">
        import Widget from "${stack.app}/widget-class.js";
        customElements.define("my-first", class extends Widget {});
        customElements.define("my-second", class extends Widget {});
        document.title = String(customElements.get("${tag}"));
        for (const copy of document.querySelectorAll("my-first, my-second")) {
          copy.accessTokenListener(() => "${token}");
        }
      </script>`);
  });
  try {
    const seen = watch(page);
    const states = await watchStates(page);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`http://${other.host}/`);
    await expect.poll(() => states.filter((state) => state === "ready")).toHaveLength(2);
    expect(asked.filter((url) => url.endsWith("/get-instance"))).toEqual([
      `${stack.app}/api/get-instance`,
    ]);
    expect([await page.title(), seen.errors]).toEqual(["undefined", []]);
  } finally {
    other.close();
  }
});

test("markup sends the token to the script's origin or nowhere", async ({ page, stack }) => {
  const script = await (await fetch(`${stack.app}/widget.js`)).text();
  const foreign = await listen((_, response) => response.end(success));
  const own = await listen((path, response) => {
    if (path === "/") {
      const bases = [
        `http://${foreign.host}/api/`,
        `//${foreign.host}/api/`,
        `\\\\${foreign.host}\\api\\`,
        `http://${own.host}@${foreign.host}/api/`,
        `http://${foreign.host}#@${own.host}/`,
        `blob:http://${own.host}/1`,
        "javascript:alert(1)",
        "data:application/json,{}?",
      ];
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><base href="http://${foreign.host}/">
        ${bases.map((base) => `<${tag} api-base="${base}"></${tag}>`).join("")}
        <${tag} api-base="/demo/api"></${tag}>
        <${tag} api-base="http://${own.host}/other/"></${tag}>
        <${tag}></${tag}>
        <script type="module" src="http://${own.host}/widget.js"></script>
        <script type="module">
          for (const widget of document.querySelectorAll("${tag}")) {
            customElements.whenDefined("${tag}").then(() => widget.accessTokenListener(() => "token"));
          }
        </script>`);
    } else if (path === "/widget.js") {
      response.setHeader("Content-Type", "text/javascript");
      response.end(script);
    } else {
      response.setHeader("Content-Type", "application/json");
      response.end(success);
    }
  });
  try {
    await page.setViewportSize({ width: 1280, height: 4000 });
    const seen = watch(page);
    const states = await watchStates(page);
    await page.goto(`http://${own.host}/`);
    await expect
      .poll(() => states.filter((state) => /ready|failed/.test(state)).sort())
      .toEqual([...Array(8).fill("failed api_base_refused"), ...Array(3).fill("ready")]);
    expect(seen.errors).toEqual(["api-base refused: see apiOrigins in app.json"]);
    expect(foreign.paths()).toEqual([]);
    expect(
      own
        .paths()
        .filter((path) => path.endsWith("get-instance"))
        .sort(),
    ).toEqual(["GET /api/get-instance", "GET /demo/api/get-instance", "GET /other/get-instance"]);
  } finally {
    own.close();
    foreign.close();
  }
});

test("no redirect takes the widget to another server", async ({ page, stack }) => {
  const script = await (await fetch(`${stack.app}/widget.js`)).text();
  const foreign = await listen((_, response) => response.end(success));
  const own = await listen((path, response) => {
    if (path === "/") {
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><${tag}></${tag}>
        <script type="module" src="widget.js"></script>
        <script type="module">
          await customElements.whenDefined("${tag}");
          document.querySelector("${tag}").accessTokenListener(() => "token");
        </script>`);
    } else if (path === "/widget.js") {
      response.setHeader("Content-Type", "text/javascript");
      response.end(script);
    } else if (path.startsWith("/api/")) {
      response.writeHead(307, { Location: `http://${foreign.host}${path}` }).end();
    } else {
      response.writeHead(404).end();
    }
  });
  try {
    const states = await watchStates(page);
    await page.goto(`http://${own.host}/`);
    await expect.poll(() => states.at(-1)).toBe("failed network");
    expect(own.paths()).toContain("GET /api/get-instance");
    expect(foreign.paths()).toEqual([]);
  } finally {
    own.close();
    foreign.close();
  }
});
