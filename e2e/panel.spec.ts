// The settings panel of any app, with the real @wix/editor inside, in the simulated editor, which is connected to it by
// Wix's own transport package.
import { listen } from "./listen";
import { goTo, openPanel } from "./panel";
import { expect, expectAccessible, test, watch } from "./stack";

test("an outline is painted before the Design System has loaded", async ({ page, stack }) => {
  const seen = watch(page);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/\/panel\/assets\/style-/, async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(`${stack.wix}/editor?instance=${await stack.install()}`, { waitUntil: "commit" });
  const panel = page.frameLocator("#panel-frame");
  const outline = panel.locator(".first");
  const title = panel.getByRole("heading", { level: 1 });
  await expect(outline).toBeVisible();
  const paints = () => outline.evaluate(() => performance.getEntriesByName("first-paint").length);
  await expect.poll(paints).toBe(1);
  await expect(title).toHaveCount(0);
  release();
  await expect(title).toBeVisible();
  await expect(outline).toHaveCount(0);
  await expect(title).toHaveCSS("font-size", "18px");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("every part of the panel is accessible", async ({ page, stack }) => {
  const seen = watch(page);
  const panel = await openPanel(page, stack, await stack.install());
  for (const tab of ["This widget", "All widgets", "About"] as const) {
    await goTo(panel, tab);
    await expectAccessible(page);
  }
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a visitor's token cannot save", async ({ stack }) => {
  const instanceId = await stack.install();
  for (const subject of ["VISITOR", "MEMBER"] as const) {
    for (const method of ["PUT", "PATCH"]) {
      const answer = await stack.ask("settings", await stack.token({ instanceId, subject }), {
        method,
        headers: { "Content-Type": "application/json", "If-Match": '"0"' },
        body: "{}",
      });
      expect([answer.status, (await answer.json()).code]).toEqual([403, "owner_required"]);
    }
  }
});

test("with Wix down the panel says so, and loads after a retry", async ({ page, stack }) => {
  const instance = await stack.install();
  await stack.fault({ status: 503, retryAfter: 1 });
  const panel = await openPanel(page, stack, instance);
  await goTo(panel, "All widgets");
  const notice = panel.getByText("Wix can’t be reached right now");
  await expect(notice.first()).toBeVisible();
  await stack.mend();
  const again = panel.getByRole("button", { name: "Try again", exact: true }).first();
  await expect(again).toBeEnabled({ timeout: 60_000 });
  // The button fades from disabled to enabled, and axe reads the colors in between.
  await expect(() => expectAccessible(page)).toPass({ timeout: 60_000 });
  await again.click();
  await expect(notice).toHaveCount(0, { timeout: 60_000 });
  await goTo(panel, "About");
  await expect(panel.locator(`input[value="${instance}"]`)).toBeVisible();
});

test("outside the editor the panel explains itself", async ({ page, stack }) => {
  const seen = watch(page);
  await page.goto(`${stack.app}/panel/`);
  await expect(page.getByText("Open this page in the Wix editor")).toBeVisible({ timeout: 60_000 });
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("the way to the plans shows while none is paid for", async ({ page, stack }) => {
  const url = `${stack.wix}/apps/upgrade/${stack.appId}?appInstanceId=i`;
  await page.route("**/api/get-instance", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    await route.fulfill({
      response,
      json: { ...json, instance: { ...json.instance, upgradeUrl: url } },
    });
  });
  const panel = await openPanel(page, stack, await stack.install());
  const link = panel.getByRole("link", { name: "Upgrade (opens in a new tab)" });
  await expect(link).toHaveAttribute("href", url);
  await expect(link).toHaveAttribute("rel", "noopener");
  await expectAccessible(page);
  await page.unroute("**/api/get-instance");
});

for (const width of [288, 404, 660]) {
  test(`at ${width} pixels nothing is cut off`, async ({ page, stack }) => {
    const panel = await openPanel(page, stack, await stack.install());
    await page.locator("#panel-frame").evaluate((frame, w) => {
      frame.style.width = `${w}px`;
    }, width);
    for (const tab of ["This widget", "All widgets", "About"] as const) {
      await goTo(panel, tab);
      const overflow = await panel
        .locator("html")
        .evaluate((html) => html.scrollWidth - html.clientWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    }
    for (const tab of await panel.getByRole("tab").all()) {
      const box = await tab.boundingBox();
      const frame = await page.locator("#panel-frame").boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(
        (frame?.x ?? 0) + (frame?.width ?? 0),
      );
    }
  });
}

test("a frame beside the panel cannot pose as the editor, even if it guesses right", async ({
  page,
  stack,
}) => {
  const event = "EDITOR_PLATFORM_TRANSPORT_EVENT:__";
  const sibling = await listen((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><script>
      addEventListener("message", ({ data: targetMemberId }) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => parent.postMessage("taken", "*");
        const offer = JSON.stringify({ type: "${event}Port", targetMemberId });
        parent.frames.panel.postMessage(JSON.stringify({ type: "${event}Pong" }), "*");
        parent.frames.panel.postMessage(offer, "*", [port2]);
        parent.postMessage("tried", "*");
      });
    </script>`);
  });
  const editor = await listen((path, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(
      path !== "/"
        ? ""
        : `<!doctype html>
      <iframe name="sibling" src="http://${sibling.host}/"></iframe>
      <script>
        const say = (type, more, ports) =>
          frames.panel.postMessage(JSON.stringify({ type: "${event}" + type, ...more }), "*", ports);
        let memberId, port, left = 3;
        addEventListener("message", ({ source, data }) => {
          if (source === frames.sibling) {
            seen.push(data);
            if (data === "tried") tried();
            return;
          }
          const message = JSON.parse(data);
          if (message.type === "${event}Ping") say("Pong");
          if (message.type === "${event}RequestPort") {
            memberId = message.memberId;
            frames.sibling.postMessage(memberId, "*");
          }
        });
        const seen = [];
        function tried() {
          if (!port) {
            const channel = new MessageChannel();
            port = channel.port1;
            port.onmessage = ({ data }) => {
              const { type } = JSON.parse(data);
              seen.push(type);
              if (left-- > 0) frames.sibling.postMessage(memberId, "*");
            };
            say("Port", { targetMemberId: memberId }, [channel.port2]);
          } else {
            // Answered with an error, if the panel still listens to this port.
            port.postMessage(JSON.stringify({ type: "Call", correlationId: "c", payload: { data: [["callId", "1"]] } }));
          }
        }
        onload = () => {
          const panel = document.createElement("iframe");
          panel.name = "panel";
          panel.src = "${stack.app}/panel/?editorType=CLASSIC";
          document.body.append(panel);
        };
      </script>`,
    );
  });
  try {
    await page.goto(`http://${editor.host}/`);
    const seen = () => page.evaluate<string[]>("seen");
    await expect.poll(async () => (await seen()).filter((s) => s === "Response").length).toBe(3);
    expect((await seen()).filter((s) => s !== "tried")).toEqual([
      "ExposeAPI",
      "Response",
      "Response",
      "Response",
    ]);
  } finally {
    editor.close();
    sibling.close();
  }
});
