// The app's own end-to-end tests: the program, the offline Wix, and Chromium. These hold for
// any declared settings; add what your app does.
import { readFileSync } from "node:fs";
import type { FrameLocator, Page } from "@playwright/test";
import { giveToken } from "./panel";
import { expect, expectAccessible, type Stack, tag, test, watch } from "./stack";

interface Declared {
  title: string;
  type: string;
  enum?: string[];
  pattern?: string;
  writeOnly?: boolean;
  default?: unknown;
  maxLength?: number;
}
const schema = JSON.parse(
  readFileSync(new URL("../docs/settings.schema.json", import.meta.url), "utf8"),
);
const site: Record<string, Declared> = schema.$defs.site.properties;
const widget: Record<string, Declared> = schema.$defs.widget.properties;

async function openEditor(page: Page, stack: Stack, instance: string): Promise<FrameLocator> {
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(`${stack.wix}/editor?instance=${instance}`);
  const panel = page.frameLocator("#panel-frame");
  await expect(panel.getByRole("heading", { level: 1 })).toBeVisible();
  return panel;
}

test("the widget on a site is answered", async ({ page, stack }) => {
  const instance = await stack.install();
  const seen = watch(page);
  const answered = page.waitForResponse((r) => r.url().includes("/api/get-instance") && r.ok());
  await page.goto(`${stack.wix}/site?instance=${instance}`);
  await answered;
  await expect(page.locator(tag)).toBeVisible();
  await expectAccessible(page);
  expect(seen).toEqual({ errors: [], violations: [] });
});

/** Finds a label in the panel, on whichever tab it is. */
async function findLabel(panel: FrameLocator, title: string): Promise<void> {
  const label = panel.getByText(title, { exact: true }).first();
  await expect(async () => {
    for (const tab of await panel.getByRole("tab").all()) {
      if (await label.isVisible()) {
        break;
      }
      await tab.click();
    }
    await expect(label).toBeVisible({ timeout: 500 });
  }).toPass();
}

test("the panel has a field for each setting", async ({ page, stack }) => {
  const panel = await openEditor(page, stack, await stack.install());
  for (const { title } of [...Object.values(widget), ...Object.values(site)]) {
    await findLabel(panel, title);
  }
});

test("the API has each setting of the site, and the widget observes each of its own", async ({
  page,
  stack,
}) => {
  const instance = await stack.install();
  const owner = await stack.token({ subject: "USER", instanceId: instance });
  const { settings } = await (await stack.ask("settings", owner)).json();
  const open = Object.keys(site).filter((name) => !site[name]?.writeOnly);
  expect(Object.keys(settings).sort()).toEqual(open.sort());
  await page.goto(`${stack.wix}/site?instance=${instance}`);
  const observed = await page.evaluate(async (name) => {
    const element = await customElements.whenDefined(name);
    return (element as unknown as { observedAttributes: string[] }).observedAttributes;
  }, tag);
  expect(observed).toEqual(expect.arrayContaining(Object.keys(widget)));
});

test("what the owner types reaches the widget", async ({ page, stack }) => {
  const text = Object.values(site).find(
    (one) =>
      one.type === "string" &&
      !one.enum &&
      !one.pattern &&
      !one.writeOnly &&
      !String(one.default).startsWith("#"),
  );
  test.skip(!text, "the site has no setting that is a text");
  const { title, maxLength = 20 } = text as Declared;
  const typed = "By the owner".slice(0, maxLength);
  const panel = await openEditor(page, stack, await stack.install());
  await giveToken(page);
  await findLabel(panel, title);
  const answered = page.waitForResponse(
    async (response) =>
      response.url().includes("/api/get-instance") && (await response.text()).includes(typed),
  );
  await panel.getByRole("textbox", { name: title }).fill(typed);
  await answered;
});
