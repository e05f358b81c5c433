// The lifecycle of an installation, as the shipped app's widget and panel show it.

import type { Page } from "@playwright/test";
import { buy, expectWebhook, menu, openEditor, openMenu, press } from "../appmenu";
import { goTo, reloadPanel } from "../panel";
import { expect, tag, test, watch } from "../stack";

const connected = "Connected";
const refused = "Can’t connect";

/** Reloads the panel until it shows the plan, which the server refreshes from Wix in the background. */
async function expectPanelPlan(page: Page, plan: string): Promise<void> {
  await expect(async () => {
    await reloadPanel(page);
    const panel = page.frameLocator("#panel-frame");
    await expect(panel.locator("body")).toContainText(`Plan${plan}`, { timeout: 3_000 });
  }).toPass({ timeout: 60_000 });
  await openMenu(page); // a click elsewhere closes it
}

test("the panel shows the plan: bought, without renewal, changed", async ({ page, stack }) => {
  const seen = watch(page);
  await openEditor(page, stack, await stack.install());
  await buy(page, "gold");
  await expectWebhook(page, /^PaidPlanPurchased delivered/);
  await expectPanelPlan(page, "gold");
  await press(page, "Cancel the renewal");
  await expectWebhook(page, /^PaidPlanAutoRenewalCancelled delivered/);
  await expectPanelPlan(page, "gold");
  await buy(page, "basic");
  await expectWebhook(page, /^PaidPlanChanged delivered/);
  await expectPanelPlan(page, "basic");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("after a removal an open page offers to retry, and the app returns to the editor", async ({
  page,
  stack,
}) => {
  const instance = await stack.install({ siteDisplayName: "Gone and back" });
  const seen = watch(page);
  const visitor = await page.context().newPage();
  await visitor.goto(`${stack.wix}/site?instance=${instance}&token=kept`);
  await expect(visitor.locator(tag)).toContainText(connected);

  await openEditor(page, stack, instance);
  await press(page, "Remove the app");
  await expectWebhook(page, /^AppRemoved delivered/);
  await expect(async () => {
    await visitor.reload();
    await expect(visitor.locator(tag)).toContainText(refused, { timeout: 3_000 });
  }).toPass({ timeout: 60_000 });
  await expect(visitor.locator(tag).getByRole("button", { name: "Retry" })).toBeVisible();

  await press(page, "Install again");
  await expectWebhook(page, /^AppInstalled delivered/);
  await expect(page.frameLocator("iframe.page").locator(tag)).toContainText(connected);
  const panel = page.frameLocator("#panel-frame");
  await expect(panel.getByLabel("Display name")).toBeVisible();
  await goTo(panel, "About");
  await expect(panel.locator(`input[value="${instance}"]`)).toBeVisible();
  await expect(menu(page)).toContainText("Free plan.");
  expect(seen).toEqual({ errors: [], violations: [] });
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
  await expect(page.locator("#result")).toHaveText(
    /^Installed on Copy of The Original\. AppInstalled delivered in \d+ m?s\.$/,
  );
  // The focus is where it was.
  await expect(page.getByRole("button", { name: "Copy this site: The Original" })).toBeFocused();
  await page.getByRole("link", { name: "Site page of Copy of The Original" }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.locator(tag)).toContainText("Bonjour", { timeout: 3_000 });
  }).toPass({ timeout: 60_000 });
  expect(seen).toEqual({ errors: [], violations: [] });
});
