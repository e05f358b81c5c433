// The simulated editor's menu with the owner's actions on the app: buy, cancel, remove.
import type { Page } from "@playwright/test";
import { giveToken } from "./panel";
import { expect, type Stack } from "./stack";

/** Opens the editor, with a token for the stage, and its menu. */
export async function openEditor(page: Page, stack: Stack, instance: string): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(`${stack.wix}/editor?instance=${instance}`);
  await giveToken(page);
  await openMenu(page);
}

export async function openMenu(page: Page): Promise<void> {
  await page.getByRole("button", { name: "App", exact: true }).click();
  await expect(menu(page)).toBeVisible();
}

export const menu = (page: Page) => page.getByRole("dialog", { name: "The app on this site" });

export const press = (page: Page, name: string) => menu(page).getByRole("button", { name }).click();

export const expectWebhook = (page: Page, what: string | RegExp) =>
  expect(menu(page).getByRole("status")).toHaveText(what);

export async function buy(page: Page, plan: string): Promise<void> {
  await menu(page).getByLabel("Plan id").fill(plan);
  await menu(page)
    .getByRole("button", { name: /^(Buy|Change) the plan$/ })
    .click();
}
