// The lifecycle of an installation, controlled on the simulated pages: the server gets
// webhooks, and the panel and the widget show their effects.

import type { Page } from "@playwright/test";
import { expect, expectAccessible, type Stack, tag, test, watch } from "./stack";

const connected = "Connected";
const refused = "Can’t connect";

async function openEditor(page: Page, stack: Stack, instance: string): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(`${stack.wix}/editor?instance=${instance}`);
  await openMenu(page);
}

async function openMenu(page: Page): Promise<void> {
  await page.getByRole("button", { name: "App", exact: true }).click();
  await expect(menu(page)).toBeVisible();
}

const menu = (page: Page) => page.getByRole("dialog", { name: "The app on this site" });
const press = (page: Page, name: string) => menu(page).getByRole("button", { name }).click();
const expectWebhook = (page: Page, what: string | RegExp) =>
  expect(menu(page).getByRole("status")).toHaveText(what);

async function buy(page: Page, plan: string): Promise<void> {
  await menu(page).getByLabel("Plan id").fill(plan);
  await menu(page)
    .getByRole("button", { name: /^(Buy|Change) the plan$/ })
    .click();
}

/** Reloads the panel until it shows the plan, which the server refreshes from Wix in the background. */
async function expectPanelPlan(page: Page, plan: string): Promise<void> {
  await expect(async () => {
    await page.locator("#panel-reload").click();
    const panel = page.frameLocator("#panel-frame");
    await expect(panel.locator("body")).toContainText(`Plan${plan}`, { timeout: 3_000 });
  }).toPass({ timeout: 20_000 });
  await openMenu(page); // a click elsewhere closes it
}

const stageWidget = (page: Page) => page.frameLocator("iframe.page").locator(tag);

test("the panel shows a plan that was bought, also after its renewal was canceled", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  await openEditor(page, stack, await stack.install());
  await expect(menu(page)).toContainText("Free plan.");
  await buy(page, "gold");
  await expectWebhook(page, /^PaidPlanPurchased delivered in \d+ m?s\.$/);
  await expect(menu(page)).toContainText("Plan gold, monthly.");
  await expectPanelPlan(page, "gold");

  // A plan without renewal is valid until its billing cycle ends.
  await press(page, "Cancel the renewal");
  await expectWebhook(page, /^PaidPlanAutoRenewalCancelled delivered/);
  await expect(menu(page)).toContainText("Plan gold, monthly, ends with the billing cycle.");
  await expectPanelPlan(page, "gold");
  await press(page, "Turn the renewal on");
  await expectWebhook(page, /^PlanReactivated delivered/);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a plan that was changed shows in the panel; its end sends no webhook", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  await openEditor(page, stack, await stack.install({ plan: "gold" }));
  await buy(page, "basic");
  await expectWebhook(page, /^PaidPlanChanged delivered/);
  await expectPanelPlan(page, "basic");
  await expectAccessible(page);

  await press(page, "Go back to free");
  await expectWebhook(page, "Wix sends no webhook for this.");
  await expect(menu(page)).toContainText("Free plan.");
  await expect(stageWidget(page)).toContainText(connected);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("after a removal an open page is refused, and a new installation works", async ({
  page,
  stack,
}) => {
  const instance = await stack.install({ siteDisplayName: "Gone and back" });
  const seen = watch(page);
  const visitor = await page.context().newPage();
  const states: string[] = [];
  await visitor.exposeFunction("state", (state: string) => states.push(state));
  await visitor.addInitScript(() => {
    addEventListener("nametag-state", (event) => {
      const { state, code } = (event as CustomEvent<{ state: string; code?: string }>).detail;
      // biome-ignore lint/suspicious/noExplicitAny: exposed by the test
      (globalThis as any).state(`${state} ${code ?? ""}`);
    });
  });
  await visitor.goto(`${stack.wix}/site?instance=${instance}&token=kept`);
  await expect(visitor.locator(tag)).toContainText(connected);

  await openEditor(page, stack, instance);
  await press(page, "Remove the app");
  await expectWebhook(page, /^AppRemoved delivered/);
  await expect(menu(page)).toContainText("Not installed.");
  await expect(page.frameLocator("iframe.page").getByText("has been removed")).toBeVisible();
  await expect(stageWidget(page)).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Publish" })).toBeDisabled();

  await expect(async () => {
    await visitor.reload();
    await expect(visitor.locator(tag)).toContainText(refused, { timeout: 3_000 });
  }).toPass({ timeout: 20_000 });
  expect(states.at(-1)).toBe("failed token_inactive");
  await expect(visitor.locator(tag).getByRole("button", { name: "Retry" })).toBeVisible();

  // A new visitor finds no widget.
  const other = await page.context().newPage();
  await other.goto(`${stack.wix}/site?instance=${instance}`);
  await expect(other.getByText("has been removed")).toBeVisible();
  await expect(other.locator(tag)).toHaveCount(0);
  await expectAccessible(other);

  await press(page, "Install again");
  await expectWebhook(page, /^AppInstalled delivered/);
  await expect(stageWidget(page)).toContainText(connected);
  await expect(page.frameLocator("#panel-frame").getByLabel("Display name")).toBeVisible();
  await expect(
    page.frameLocator("#panel-frame").locator(`input[value="${instance}"]`),
  ).toBeVisible();
  await other.reload();
  await expect(other.locator(tag)).toContainText(connected);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("after a removal without a webhook an open page still works", async ({ page, stack }) => {
  const instance = await stack.install();
  const visitor = await page.context().newPage();
  await visitor.goto(`${stack.wix}/site?instance=${instance}&token=kept`);
  await expect(visitor.locator(tag)).toContainText(connected);
  await openEditor(page, stack, instance);
  await menu(page).getByText("Send no webhook").click();
  await press(page, "Remove the app");
  await expectWebhook(page, "No webhook was sent.");
  // The server has verified this token, and accepts it until it expires.
  await visitor.reload();
  await expect(visitor.locator(tag)).toContainText(connected);
});

test("the copy of a site starts with its greeting", async ({ page, stack }) => {
  const instance = await stack.install({ siteDisplayName: "The Original" });
  const saved = await stack.ask(
    "settings",
    await stack.token({ instanceId: instance, subject: "USER" }),
    {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-Match": '"0"' },
      body: '{"greeting":"Bonjour"}',
    },
  );
  expect(saved.status).toBe(200);

  const seen = watch(page);
  await page.goto(`${stack.wix}/`);
  await page.getByRole("button", { name: "Copy this site: The Original" }).click();
  await expect(page.getByRole("status")).toHaveText(
    /^Installed on Copy of The Original\. AppInstalled delivered in \d+ m?s\.$/,
  );
  // The focus is where it was.
  await expect(page.getByRole("button", { name: "Copy this site: The Original" })).toBeFocused();
  await page.getByRole("link", { name: "Site page of Copy of The Original" }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.locator(tag)).toContainText("Bonjour", { timeout: 3_000 });
  }).toPass({ timeout: 20_000 });
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("the first page installs, removes and installs again, with the keyboard only", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  await page.goto(`${stack.wix}/`);
  await page.getByLabel("Name of a new site").fill("<b>Keys & Co</b>");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status")).toHaveText(
    /^Installed on <b>Keys & Co<\/b>\. AppInstalled delivered/,
  );
  await page.getByRole("button", { name: "Remove the app from <b>Keys & Co</b>" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status")).toHaveText(/^Removed\. AppRemoved delivered/);
  const again = page.getByRole("button", { name: "Install again on <b>Keys & Co</b>" });
  await expect(again).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status")).toHaveText(/^Installed on <b>Keys & Co<\/b>\./);
  await expect(again).toHaveCount(0);
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("at phone width the whole menu is on the screen, and Escape returns the focus", async ({
  page,
  stack,
}) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${stack.wix}/editor?instance=${await stack.install({ plan: "gold" })}`);
  const button = page.getByRole("button", { name: "App", exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  const box = await menu(page).boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(360);
  expect((box?.y ?? 0) + (box?.height ?? 999)).toBeLessThanOrEqual(740);
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(menu(page)).toBeHidden();
  await expect(button).toBeFocused();
});
