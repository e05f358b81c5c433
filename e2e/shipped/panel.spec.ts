// The shipped app's settings panel, with the real @wix/editor inside, in the simulated editor.
import type { FrameLocator, Page } from "@playwright/test";
import { giveToken, goTo, openPanel, reloadPanel } from "../panel";
import { expect, expectAccessible, type Stack, tag, test, watch } from "../stack";

const stage = (page: Page) => page.frameLocator("iframe.page");
const stageWidget = (page: Page) => stage(page).locator(tag).first();
const greeting = (panel: FrameLocator) => panel.getByRole("textbox", { name: "Greeting" });
/** What is read out is beside what is seen. */
const saved = (panel: FrameLocator) => panel.locator(".progress").getByText("Saved");

/** The greeting as the server has it. */
async function stored(stack: Stack, instanceId: string): Promise<unknown> {
  const token = await stack.token({ instanceId });
  return (await stack.ask("settings", token)).json();
}

async function saveElsewhere(stack: Stack, instanceId: string, text: string, version: number) {
  const owner = await stack.token({ instanceId, subject: "USER" });
  const answer = await stack.ask("settings", owner, {
    method: "PATCH",
    headers: { "Content-Type": "application/json", "If-Match": `"${version}"` },
    body: JSON.stringify({ greeting: text }),
  });
  expect(answer.status).toBe(200);
}

test("what is typed and picked shows on the stage at once, and undo reverts it", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const panel = await openPanel(page, stack, await stack.install());
  await panel.getByLabel("Display name").fill("Grace");
  await expect(stageWidget(page)).toHaveAttribute("display-name", "Grace");
  await expect(stageWidget(page)).toContainText("Grace");

  await panel.getByRole("button", { name: /Background color/ }).click();
  const picker = page.getByRole("dialog");
  await picker.getByLabel("Color code").fill("#0b6e4f");
  await picker.getByLabel("Color code").press("Enter");
  await expect(stageWidget(page)).toHaveAttribute("background-color", "#0b6e4f");
  await expect(stageWidget(page).locator("[part~=card]")).toHaveCSS(
    "background-color",
    "rgb(11, 110, 79)",
  );
  await page.keyboard.press("Escape");
  // The focus goes back to where the picker was opened.
  await expect(panel.getByRole("button", { name: /Background color/ })).toBeFocused();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(stageWidget(page)).not.toHaveAttribute("background-color");
  await expect(stageWidget(page)).toHaveAttribute("display-name", "Grace");
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(stageWidget(page)).toHaveAttribute("background-color", "#0b6e4f");

  // A theme color is stored as the theme's variable, so that it follows the theme.
  await panel.getByRole("button", { name: /Background color/ }).click();
  await picker.getByRole("group", { name: "Site colors" }).getByRole("button").first().click();
  await expect(stageWidget(page)).toHaveAttribute("background-color", /^var\(--wst-.+#/);
  await page.keyboard.press("Escape");
  expect(seen).toEqual({ errors: [], violations: [] });
  await expectAccessible(page);
});

test("the font is named by what the widget shows", async ({ page, stack }) => {
  const panel = await openPanel(page, stack, await stack.install());
  const font = panel.getByRole("button", { name: /^Font:/ });
  await expect(font).toHaveText("System font");
  await font.click();
  await page.getByRole("dialog").getByLabel("Font family").selectOption("Site heading");
  await expect(font).toHaveText(/^Heading 4: Georgia, \d+px$/);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(font).toBeFocused();
});

test("a color that can hardly be read is pointed out, and still taken", async ({ page, stack }) => {
  const panel = await openPanel(page, stack, await stack.install());
  const warning = panel.getByText(/^Hard to read on “Background color”/).first();
  await expect(warning).toHaveCount(0);
  await panel.getByRole("button", { name: /^Text color/ }).click();
  const code = page.getByRole("dialog").getByLabel("Color code");
  await code.fill("#cccccc");
  await code.press("Enter");
  await expect(warning).toContainText("1.6");
  await expect(stageWidget(page)).toHaveAttribute("text-color", "#cccccc");
  await expectAccessible(page, ["color-contrast"]);
  await code.fill("#333333");
  await code.press("Enter");
  await expect(warning).toHaveCount(0);
});

test("a greeting is saved as it is typed, shows on the stage and on the published site, and can be undone", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const instance = await stack.install();
  const panel = await openPanel(page, stack, instance);
  await giveToken(page);
  await goTo(panel, "All widgets");
  await expect(stageWidget(page)).toContainText("Hello");
  await greeting(panel).press("End");
  await greeting(panel).pressSequentially(" there");
  await expect(saved(panel)).toBeVisible();
  await expect(panel.getByRole("button", { name: "Save", exact: true })).toHaveCount(0);
  await expect(stageWidget(page)).toHaveAttribute("settings-version", /^[1-9]/);
  await expect(stageWidget(page)).toContainText("Hello there");
  await expectAccessible(page);

  const visitor = await page.context().newPage();
  await visitor.goto(`${stack.wix}/site?instance=${instance}`);
  await expect(visitor.locator(tag).first()).toContainText("Hello there");

  await panel.getByRole("button", { name: "Undo" }).click();
  await expect(greeting(panel)).toHaveValue("Hello");
  await expect(greeting(panel)).toBeFocused();
  await expect(stageWidget(page)).not.toContainText("there");
  await expect
    .poll(() => stored(stack, instance))
    .toMatchObject({ settings: { greeting: "Hello" } });
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("without a token the stage shows a sample, and the panel says where the greeting shows", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const panel = await openPanel(page, stack, await stack.install());
  await goTo(panel, "All widgets");
  await expect(panel.getByText("This shows on the published site.")).toBeVisible();
  await greeting(panel).fill("Good morning");
  await expect(saved(panel)).toBeVisible();
  await expect(stageWidget(page)).toHaveAttribute("settings-version", /^[1-9]/);
  await expect(stageWidget(page)).toContainText("Hello");
  await expect(stageWidget(page)).toContainText("Connects when published");
  const origin = await stageWidget(page).evaluate(() => self.origin);
  expect(origin).toBe("null");
  await giveToken(page);
  await expect(stageWidget(page)).toContainText("Good morning");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a greeting that is not valid is not sent, and not lost", async ({ page, stack }) => {
  const instance = await stack.install();
  const panel = await openPanel(page, stack, instance);
  await goTo(panel, "All widgets");
  await greeting(panel).fill("");
  await greeting(panel).blur();
  await expect(panel.getByText("Greeting must not be empty.").first()).toBeVisible();
  await expectAccessible(page);
  await greeting(panel).fill("x".repeat(81));
  await greeting(panel).blur();
  await expect(panel.getByText("Greeting must have at most 80 characters.").first()).toBeVisible();
  await goTo(panel, "This widget");
  await goTo(panel, "All widgets");
  await expect(greeting(panel)).toHaveValue("x".repeat(81));
  expect(await stored(stack, instance)).toEqual({ settings: { greeting: "Hello" }, version: 0 });
});

test("what was typed last is saved when the panel is closed", async ({ page, stack }) => {
  const instance = await stack.install();
  const panel = await openPanel(page, stack, instance);
  await goTo(panel, "All widgets");
  await greeting(panel).fill("Going");
  // In one task, so that nothing is saved by a pause or by the loss of the focus.
  await page.locator("#panel-frame").evaluate((frame: HTMLIFrameElement) => {
    frame.contentWindow?.location.replace("about:blank");
  });
  await expect
    .poll(() => stored(stack, instance))
    .toMatchObject({ settings: { greeting: "Going" } });
});

test("a save that fails keeps the draft, and is repeated on demand", async ({ page, stack }) => {
  const instance = await stack.install();
  let down = true;
  await page.route("**/api/settings", (route) =>
    down && route.request().method() === "PATCH"
      ? route.fulfill({
          status: 503,
          headers: { "Content-Type": "application/json" },
          body: '{"error":"A sentence.","code":"store_unavailable","requestId":"r-1"}',
        })
      : route.continue(),
  );
  const panel = await openPanel(page, stack, instance);
  await goTo(panel, "All widgets");
  await greeting(panel).fill("Again");
  const notice = panel.getByText("Not saved: Our server has a problem right now");
  await expect(notice).toBeVisible();
  await expect(greeting(panel)).toHaveValue("Again");
  await expectAccessible(page);
  // Another tab shows that something waits here.
  await goTo(panel, "This widget");
  await expect(panel.getByRole("tab", { name: /All widgets.*needs your attention/ })).toBeVisible();
  await goTo(panel, "All widgets");
  down = false;
  await panel.getByRole("button", { name: "Try again", exact: true }).click();
  await expect(saved(panel)).toBeVisible();
  await expect(notice).toHaveCount(0);
  expect(await stored(stack, instance)).toEqual({ settings: { greeting: "Again" }, version: 1 });
});

test("the second of two owners is asked which greeting to keep", async ({ page, stack }) => {
  const instance = await stack.install();
  const panel = await openPanel(page, stack, instance);
  await giveToken(page);
  await goTo(panel, "All widgets");
  await saveElsewhere(stack, instance, "Theirs", 0);
  await greeting(panel).fill("Mine");
  await expect(panel.getByText("Someone else changed “Greeting”")).toBeVisible();
  await expectAccessible(page);
  await panel.getByRole("button", { name: "Keep mine" }).click();
  await expect(stageWidget(page)).toContainText("Mine");
  expect(await stored(stack, instance)).toEqual({ settings: { greeting: "Mine" }, version: 2 });

  await saveElsewhere(stack, instance, "Theirs again", 2);
  await greeting(panel).fill("Mine again");
  await panel.getByRole("button", { name: "Use theirs" }).click();
  await expect(greeting(panel)).toHaveValue("Theirs again");
  await expect(stageWidget(page)).toContainText("Theirs again");
  expect(await stored(stack, instance)).toMatchObject({ version: 3 });
});

test("the tabs work by keyboard, and keep what is in them", async ({ page, stack }) => {
  const panel = await openPanel(page, stack, await stack.install());
  const tab = (name: string) => panel.getByRole("tab", { name });
  await expect(tab("This widget")).toHaveAttribute("aria-selected", "true");
  await tab("This widget").focus();
  await page.keyboard.press("ArrowRight");
  await expect(tab("All widgets")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("tabpanel", { name: "All widgets" })).toBeVisible();
  await expect(panel.getByLabel("Display name")).toBeHidden();
  await page.keyboard.press("Tab");
  await expect(greeting(panel)).toBeFocused();

  // Right to left, the next tab is on the left.
  await page.getByRole("button", { name: "RTL" }).click();
  await reloadPanel(page);
  await expect(panel.getByLabel("Display name")).toBeVisible();
  await tab("This widget").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(tab("All widgets")).toBeFocused();
  await page.keyboard.press("Space");
  await expect(greeting(panel)).toBeVisible();
  await expectAccessible(page);
});

test("the owner sees how many guests were greeted, the visitor does not", async ({
  page,
  stack,
}) => {
  const instanceId = await stack.install();
  const visitor = await page.context().newPage();
  await visitor.goto(`${stack.wix}/site?instance=${instanceId}`);
  await expect(visitor.locator(tag).first()).toContainText("Connected");

  const owner = await stack.token({ instanceId, subject: "USER" });
  const days = async (): Promise<{ day: string; guests: number }[]> =>
    (await (await stack.ask("guests", owner)).json()).days;
  await expect.poll(async () => (await days()).at(-1)?.guests).toBeGreaterThan(0);
  const today = new Date().toISOString().slice(0, 10);
  const week = (await days()).map(({ day }) => day);
  expect(week).toHaveLength(7);
  expect(week).toEqual([...week].sort());
  expect(week.at(-1)).toBe(today);

  for (const subject of ["VISITOR", "MEMBER"] as const) {
    const answer = await stack.ask("guests", await stack.token({ instanceId, subject }));
    expect([answer.status, (await answer.json()).code]).toEqual([403, "owner_required"]);
  }
  const lost = await stack.ask("guests", await stack.token({ subject: "USER", noInstance: true }));
  expect([lost.status, (await lost.json()).code]).toEqual([403, "instance_required"]);

  const panel = await openPanel(page, stack, instanceId);
  await goTo(panel, "All widgets");
  await expect(panel.getByText("in the last 7 days (UTC)")).toBeVisible();
  await expect(panel.getByRole("listitem")).toHaveCount(7);
  await expect(panel.getByRole("listitem").last()).toContainText(/: \d+ guests?/);
  await expectAccessible(page);
});

test("without the guests the rest of the panel works, and a retry loads them", async ({
  page,
  stack,
}) => {
  let down = true;
  await page.route("**/api/guests", (route) =>
    down
      ? route.fulfill({
          status: 503,
          headers: { "Access-Control-Allow-Origin": "*", "Content-Type": "application/json" },
          body: '{"error":"A sentence.","code":"store_unavailable","requestId":"r-1"}',
        })
      : route.continue(),
  );
  const panel = await openPanel(page, stack, await stack.install());
  await goTo(panel, "All widgets");
  await expect(panel.getByText("Our server has a problem right now")).toBeVisible();
  await expect(greeting(panel)).toHaveValue("Hello");
  await expectAccessible(page);
  down = false;
  await panel.getByRole("button", { name: "Try again", exact: true }).click();
  await expect(panel.getByText("Our server has a problem right now")).toHaveCount(0);
  await expect(panel.getByText(/^in the last 7 days|^No guests yet$/)).toBeVisible();
});

test("after a reload of its frame the panel reads the widget's attributes", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const panel = await openPanel(page, stack, await stack.install());
  await panel.getByLabel("Display name").fill("Grace");
  await expect(stageWidget(page)).toHaveAttribute("display-name", "Grace");
  await reloadPanel(page);
  await expect(panel.getByLabel("Display name")).toHaveValue("Grace");
  await panel.getByLabel("Display name").fill("Hopper");
  await expect(stageWidget(page)).toContainText("Hopper");
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("with Wix down the widget's own settings still work", async ({ page, stack }) => {
  const instance = await stack.install();
  await stack.fault({ status: 503, retryAfter: 1 });
  const panel = await openPanel(page, stack, instance);
  await panel.getByLabel("Display name").fill("Grace");
  await expect(stageWidget(page)).toContainText("Grace");
});

test("with nothing selected the panel says so, until the next selection", async ({
  page,
  stack,
}) => {
  await openPanel(page, stack, await stack.install());
  await stage(page).getByRole("button", { name: "Delete" }).click();
  const panel = page.frameLocator("#panel-frame");
  await reloadPanel(page);
  await expect(panel.getByText("No widget selected")).toBeVisible();
  await page.getByRole("button", { name: "Add a copy" }).click();
  await expect(panel.getByLabel("Display name")).toBeVisible();
});
