// The settings panel in the simulated editor.
import type { FrameLocator, Page } from "@playwright/test";
import { expect, type Stack } from "./stack";

/** Opens the editor and waits until the panel has loaded everything, or has said why it could not. */
export async function openPanel(page: Page, stack: Stack, instance: string): Promise<FrameLocator> {
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.goto(`${stack.wix}/editor?instance=${instance}`);
  const panel = page.frameLocator("#panel-frame");
  await expect(panel.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(panel.getByText("Loading settings")).toHaveCount(0);
  return panel;
}

/** Hands the widgets of the stage a token, which Wix's editor is not known to do. */
export async function giveToken(page: Page): Promise<void> {
  await page.getByRole("switch", { name: "Stage token" }).check();
}

/** Goes to a tab, where the app has as many settings that the panel has tabs. */
export async function goTo(panel: FrameLocator, tab: "This widget" | "All widgets" | "About") {
  const found = panel.getByRole("tab", { name: tab });
  if ((await found.count()) > 0) {
    await found.click();
  }
}

/** Reloads the panel's frame, and waits until the document that was in it has gone. */
export async function reloadPanel(page: Page): Promise<void> {
  const panel = page.frameLocator("#panel-frame");
  // The editor may be loading it again just now, by itself.
  await expect(async () => {
    await panel.locator("html").evaluate((html) => html.setAttribute("data-before", ""));
  }).toPass();
  await page.locator("#panel-reload").click();
  await expect(panel.locator("html:not([data-before])")).toBeVisible();
}
