// The install guide shows what the server finds out about itself, while it is open.
import { expect, test } from "./stack";

test("the install guide stays current", async ({ page, stack }) => {
  const instanceId = await stack.install();
  await page.goto(`${stack.app}/install`);
  const row = (name: string) =>
    page.locator("#findings li").filter({ has: page.getByRole("heading", { name, exact: true }) });
  await expect(row("App id and secret")).toContainText("In order", { timeout: 30_000 });
  await expect(row("Public address")).toContainText("In order", { timeout: 30_000 });
  const token = await stack.token({ instanceId });
  expect((await stack.ask("get-instance", token)).status).toBe(200);
  await expect(row("Access tokens")).toContainText("In order", { timeout: 30_000 });
  await expect(page.locator("#step-tokens")).toContainText("Access tokens In order");
  await expect(page.getByRole("status")).not.toBeEmpty();
});
