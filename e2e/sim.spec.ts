// The first page of the offline Wix, which a developer leaves open.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { freePort, Program } from "./process";
import { expect, expectAccessible, Stack, test, watch, watchStates } from "./stack";

const tabs = ["Sites", "Calls", "Webhooks", "Tokens", "Faults, clock", "Behavior"];

const tab = (page: Page, name: string) => page.getByRole("tab", { name, exact: true });
const rows = (page: Page, list: "calls" | "webhooks") =>
  page.getByRole("list", { name: list }).getByRole("button");
const details = (page: Page) => page.getByRole("region", { name: "Details" });
const result = (page: Page) => page.locator("#result");

async function open(page: Page, wix: string, at = ""): Promise<void> {
  await page.goto(`${wix}/${at}`);
  await expect(page.locator("#live")).toHaveText("Live");
}

/** A new visitor asks the app, which asks Wix about the token. */
async function ask(stack: Stack, instanceId: string): Promise<number> {
  return (await stack.ask("get-instance", await stack.token({ instanceId }))).status;
}

/** The app identifies a new visitor. After the faults of another test it may rest from Wix for a while. */
async function identify(stack: Stack, instanceId: string): Promise<void> {
  await expect.poll(() => ask(stack, instanceId), { timeout: 60_000 }).toBe(200);
}

async function expectNoOverflow(page: Page): Promise<void> {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

test("a call appears while the page is open, and its details hide the token", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const instance = await stack.install({ siteDisplayName: "Lantern <Bakery>" });
  const token = await stack.token({ instanceId: instance });
  await open(page, stack.wix, `#calls/${instance}`);
  await stack.ask("get-instance", token);
  const row = rows(page, "calls").filter({ hasText: "POST /oauth2/token-info" });
  await expect(row).toContainText("200");
  await expect(row).toContainText("Lantern <Bakery>");
  await row.click();
  await expect(details(page).getByRole("heading", { level: 2 })).toHaveText(
    "POST /oauth2/token-info",
  );
  const body = details(page).getByRole("region", { name: "Request body" });
  await expect(body).toContainText(`${token.slice(0, 6)}…${token.slice(-4)}`);
  await expect(details(page)).toContainText("X-Wix-Request-Id");
  expect(await page.content()).not.toContain(token.slice(0, 40));
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("the lists show one site's calls and webhooks, and all again", async ({ page, stack }) => {
  const [one, other] = [
    await stack.install({ siteDisplayName: "Harbour Books" }),
    await stack.install({ siteDisplayName: "Old Mill" }),
  ];
  await identify(stack, one);
  await identify(stack, other);
  await open(page, stack.wix, "?q=harbour");
  await page.getByRole("link", { name: "Calls about Harbour Books" }).click();
  await expect(page.getByRole("tabpanel").getByText("Only Harbour Books")).toBeVisible();
  await expect(rows(page, "calls").filter({ hasText: "Harbour Books" })).not.toHaveCount(0);
  await expect(rows(page, "calls").filter({ hasNotText: "Harbour Books" })).toHaveCount(0);
  // What happens on another site stays out.
  await identify(stack, other);
  await identify(stack, one);
  await expect(rows(page, "calls").filter({ hasNotText: "Harbour Books" })).toHaveCount(0);
  await tab(page, "Webhooks").click();
  await expect(rows(page, "webhooks")).toHaveText([/AppInstalled delivered .* Harbour Books/]);
  await page.getByRole("link", { name: "All sites" }).click();
  await expect(rows(page, "webhooks").filter({ hasText: "Old Mill" })).toHaveCount(1);
  await page.getByRole("searchbox", { name: "Find a webhook" }).fill("installed mill");
  await expect(rows(page, "webhooks")).toHaveText([/Old Mill/]);
});

test("a paused list stays as it is until it is resumed", async ({ page, stack }) => {
  const instance = await stack.install();
  await identify(stack, instance);
  await open(page, stack.wix, `#calls/${instance}`);
  await expect(rows(page, "calls")).not.toHaveCount(0);
  await page.getByRole("button", { name: "Pause" }).click();
  const before = await rows(page, "calls").count();
  await identify(stack, instance);
  const resume = page.getByRole("button", { name: /^Resume \(\d+ new\)$/ });
  await expect(resume).toBeVisible();
  await expect(rows(page, "calls")).toHaveCount(before);
  await resume.click();
  await expect(rows(page, "calls")).not.toHaveCount(before);
  await expect(page.getByRole("button", { name: "Pause" })).toBeVisible();
});

test("a webhook is replayed to the app, as it was and with changed fields", async ({
  page,
  stack,
}) => {
  const seen = watch(page);
  const instance = await stack.install({ siteDisplayName: "Replayed" });
  await open(page, stack.wix, `#webhooks/${instance}`);
  await expect(rows(page, "webhooks")).toHaveText([/AppInstalled delivered 1 attempt, 200/]);
  await rows(page, "webhooks").click();
  await expect(details(page).getByRole("region", { name: "JWT claims" })).toContainText(instance);
  await details(page).getByRole("button", { name: "Replay", exact: true }).click();
  await expect(result(page)).toHaveText("AppInstalled is sent again.");
  await expect(rows(page, "webhooks")).toHaveText([/delivered 1/, /delivered 1/]);

  await details(page).getByText("Replay with changed fields").click();
  const editor = details(page).getByRole("textbox", { name: "Fields of the event" });
  const fault = details(page).getByRole("alert");
  const send = details(page).getByRole("button", { name: "Replay changed" });
  await editor.fill("[1]");
  await send.click();
  await expect(fault).toHaveText("Data must be one JSON object.");
  await expect(editor).toHaveAttribute("aria-invalid", "true");
  await expect(editor).toBeFocused();
  await editor.fill('{"appId": "changed", "color": "green"}');
  await send.click();
  await expect(fault).toBeHidden();
  await expect(rows(page, "webhooks")).toHaveCount(3);
  await rows(page, "webhooks").first().click();
  await expect(details(page).getByRole("region", { name: "JWT claims" })).toContainText(
    '"color": "green"',
  );
  expect(seen).toEqual({ errors: [], violations: [] });
});

test("a fault that is set by a click is met by the app", async ({ page, stack }) => {
  const instance = await stack.install();
  await identify(stack, instance);
  await open(page, stack.wix, "#faults");
  await expect(page.getByText("None. Wix works.")).toBeVisible();
  await page.getByLabel("Endpoint").selectOption("token-info");
  await page.getByLabel("Calls that fail").fill("9");
  await page.getByRole("button", { name: "503", exact: true }).click();
  await expect(page.getByText("token-info 503 9 more calls")).toBeVisible();
  expect(await ask(stack, instance)).toBe(503);
  await expect(page.getByText(/^token-info 503 [1-8] more calls?$/)).toBeVisible();
  await tab(page, "Calls").click();
  await expect(rows(page, "calls").filter({ hasText: "fault 503" })).not.toHaveCount(0);

  await tab(page, "Faults, clock").click();
  const late = page.getByLabel("Late by");
  await late.fill("soon");
  await page.getByRole("button", { name: "Set the fault" }).click();
  await expect(late).toBeFocused();
  await expect(late).toHaveAttribute("aria-invalid", "true");
  await expect(late).toHaveAccessibleDescription(/^Latency must be a duration/);
  await late.fill("1ms");
  await page.getByRole("button", { name: "Set the fault" }).click();
  await expect(late).not.toHaveAttribute("aria-invalid");
  await expect(result(page)).toHaveText("Set: 1ms late.");
  await page.getByRole("button", { name: "End all faults" }).click();
  await expect(page.getByText("None. Wix works.")).toBeVisible();
});

test("a plan is bought and canceled in the list of sites", async ({ page, stack }) => {
  await stack.install({ siteDisplayName: "Planned" });
  await open(page, stack.wix, "?q=planned");
  await page.getByRole("button", { name: "Plan of Planned" }).click();
  const dialog = page.getByRole("dialog", { name: "Plan of Planned" });
  await dialog.getByLabel("Plan id").fill("gold");
  await dialog.getByRole("button", { name: "Buy the plan" }).click();
  await expect(dialog.getByRole("status")).toHaveText(/^PaidPlanPurchased delivered/);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Cancel the renewal" }).click();
  await expect(dialog.getByRole("status")).toHaveText(/^PaidPlanAutoRenewalCancelled delivered/);
  await page.keyboard.press("Escape");
  await expect(page.locator(".sites")).toContainText("Plan gold");
  await page.getByRole("button", { name: "Plan of Planned" }).click();
  await expect(dialog).toContainText("Plan gold, monthly, ends with the billing cycle.");
});

test("a site that is installed elsewhere appears in the list", async ({ page, stack }) => {
  await open(page, stack.wix, "?q=elsewhere");
  await expect(page.getByText("No site is called that.")).toBeVisible();
  await stack.install({ siteDisplayName: "Elsewhere" });
  await expect(page.getByRole("heading", { name: "Elsewhere" })).toBeVisible();
});

test("of many sites the page has fifty, and finds each", async ({ page, stack }) => {
  for (let n = 0; n < 60; n++) {
    await stack.install({ siteDisplayName: `Many ${n}`, silent: true });
  }
  await open(page, stack.wix);
  const names = page.locator(".sites h3");
  await expect(names).toHaveCount(50);
  await expect(names.first()).toHaveText("Many 59");
  await page.getByRole("searchbox", { name: "Find a site" }).fill("MANY");
  await page.keyboard.press("Enter");
  await expect(page.getByText("1 to 50 of 60 sites")).toBeVisible();
  await page.getByRole("link", { name: "Older" }).click();
  await expect(names.first()).toHaveText("Many 9");
  await expect(page).toHaveURL(/\?page=2&q=MANY$/);
  await page.reload();
  await expect(names).toHaveCount(10);
});

test("the keyboard is enough", async ({ page, stack }) => {
  const instance = await stack.install();
  await identify(stack, instance);
  await open(page, stack.wix);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await tab(page, "Sites").focus();
  await page.keyboard.press("ArrowRight");
  await expect(tab(page, "Calls")).toBeFocused();
  await expect(page.getByRole("tabpanel")).toHaveAccessibleName("Calls");
  await page.keyboard.press("End");
  await expect(tab(page, "Behavior")).toHaveAttribute("aria-selected", "true");
  await page.goBack();
  await expect(tab(page, "Calls")).toHaveAttribute("aria-selected", "true");

  await page.getByRole("button", { name: "Pause" }).press("Enter");
  await page.getByRole("button", { name: "Clear" }).focus();
  await page.keyboard.press("Tab");
  const first = rows(page, "calls").first();
  await expect(first).toBeFocused();
  await page.keyboard.press("ArrowDown");
  const second = rows(page, "calls").nth(1);
  await expect(second).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(second).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("Tab");
  await expect(details(page).getByRole("button", { name: "Close" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(details(page)).toBeHidden();
  await expect(second).toBeFocused();
});

for (const [width, colorScheme] of [
  [1280, "light"],
  [390, "dark"],
  [320, "light"],
] as const) {
  test(`every part is accessible and fits at ${width} px, ${colorScheme}`, async ({
    page,
    stack,
  }) => {
    await page.setViewportSize({ width, height: 700 });
    await page.emulateMedia({ colorScheme });
    const instance = await stack.install({ siteDisplayName: "Anunbrokenname".repeat(12) });
    await identify(stack, instance);
    await open(page, stack.wix, `?q=${instance}#calls/${instance}`);
    const more: Record<string, () => Promise<void>> = {
      Calls: async () => {
        await rows(page, "calls").first().click();
        await expect(details(page)).toContainText("Answer");
      },
      Webhooks: async () => {
        await rows(page, "webhooks").first().click();
        await details(page).getByText("Replay with changed fields").click();
      },
      Tokens: async () => {
        await page.getByRole("button", { name: "Make" }).click();
        await expect(page.getByRole("region", { name: "Claims" })).toBeVisible();
      },
    };
    for (const name of tabs) {
      await tab(page, name).click();
      await expect(page.getByRole("tabpanel")).toHaveAccessibleName(name);
      await expectNoOverflow(page);
      await more[name]?.();
      await expectNoOverflow(page);
      await expectAccessible(page);
      await page.keyboard.press("Escape");
    }
  });
}

/** An offline Wix of its own, whose clock and end concern nobody else. */
async function alone(run: (sim: Alone) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sim-e2e-"));
  const sim = new Alone(folder, await freePort());
  try {
    await sim.start();
    await run(sim);
  } finally {
    await sim.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

class Alone {
  readonly wix: string;
  #program: Program | undefined;

  constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {
    this.wix = `http://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const data = join(this.folder, "sim.json");
    this.#program = new Program(["sim", `--addr=127.0.0.1:${this.port}`, `--data=${data}`]);
    await this.#program.ready(`${this.wix}/_sim/health`);
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
  }

  async install(siteDisplayName: string): Promise<void> {
    await fetch(`${this.wix}/_sim/installs`, {
      method: "POST",
      body: JSON.stringify({ siteDisplayName }),
    });
  }
}

test("the clock is advanced by a click, and a token ends", async ({ page }) => {
  await alone(async ({ wix }) => {
    await open(page, wix, "#tokens");
    await page.getByLabel("Whose").selectOption("The owner’s");
    await page.getByRole("button", { name: "Make" }).click();
    const made = page.locator("#minted");
    await expect(made).toContainText("active");
    await expect(made).toContainText("USER");
    const token = await made.getByRole("region", { name: "Token", exact: true }).innerText();
    await tab(page, "Faults, clock").click();
    await page.getByRole("button", { name: "5 hours" }).click();
    await expect(result(page)).toHaveText("The clock is 5 h ahead.");
    const by = page.getByLabel("By", { exact: true });
    await by.fill("-1h");
    await page.getByRole("button", { name: "Advance", exact: true }).click();
    await expect(by).toHaveAccessibleDescription(/^Advance must be/);
    await by.fill("30m");
    await page.keyboard.press("Enter");
    await expect(page.locator("#ahead")).toHaveText("5 h 30 min ahead");
    await tab(page, "Tokens").click();
    await page.getByLabel("An access token").fill(token);
    await page.getByRole("button", { name: "Read" }).click();
    await expect(page.locator("#decoded")).toContainText("it has expired");
  });
});

test("a switch changes how this Wix behaves, and shows what another has changed", async ({
  page,
}) => {
  await alone(async ({ wix }) => {
    const behavior = async () => (await fetch(`${wix}/_sim/behavior`)).json();
    const text = page.getByRole("switch", { name: "Text in token info" });
    await open(page, wix, "#behavior");
    await expect(page.getByRole("switch", { name: "Sandboxed stage" })).toBeChecked();
    await expect(text).not.toBeChecked();
    await text.press("Space");
    await expect(result(page)).toHaveText(/^Changed\./);
    await expect.poll(behavior).toMatchObject({ stringFields: true, stageSandbox: true });
    await page.getByLabel("Subject of an owner’s token").selectOption("APP");
    await expect.poll(behavior).toMatchObject({ ownerSubject: "APP" });
    await fetch(`${wix}/_sim/behavior`, { method: "PUT", body: '{"stringFields": false}' });
    await expect(text).not.toBeChecked();
  });
});

test("the page outlasts a restart of the offline Wix, and is live again", async ({ page }) => {
  await alone(async (sim) => {
    await sim.install("Before");
    await open(page, sim.wix, "#webhooks");
    await sim.stop();
    await expect(page.locator("#live")).toHaveText("Reconnecting");
    await sim.start();
    await expect(page.locator("#live")).toHaveText("Live");
    await expect(rows(page, "webhooks").filter({ hasText: "Before" })).toHaveCount(1);
    await sim.install("After");
    await expect(rows(page, "webhooks").filter({ hasText: "After" })).toHaveCount(1);
    await tab(page, "Sites").click();
    await expect(page.locator(".sites h3")).toHaveText(["After", "Before", "My Wix Site"]);
  });
});

test("for the app a restart of the offline Wix changes nothing", async ({ page }) => {
  const stack = new Stack();
  try {
    await stack.start();
    const instanceId = await stack.install({ siteDisplayName: "Old Mill", plan: "gold" });
    const fresh = await stack.token({ instanceId });
    const owner = await stack.token({ instanceId, subject: "USER" });
    const before = await (await stack.ask("get-instance-data", owner)).json();
    const states = await watchStates(page);
    await page.goto(`${stack.wix}/site?instance=${instanceId}`);
    await expect.poll(() => states.at(-1)).toBe("ready");
    await stack.restartWix();
    // A token that the server has not seen before, the same site, and the key of the webhooks.
    expect((await stack.ask("get-instance", fresh)).status).toBe(200);
    expect(await (await stack.ask("get-instance-data", owner)).json()).toEqual(before);
    states.length = 0;
    await page.reload();
    await expect.poll(() => states.at(-1)).toBe("ready");
    const later = await stack.install({ siteDisplayName: "New Mill" });
    await expect.poll(() => stack.run("instances", "show", later)).toContain(later);
  } finally {
    await stack.stop();
  }
});

test("without events the page is refreshed by hand", async ({ page, stack }) => {
  await page.route("**/_sim/events", (route) => route.abort());
  const instance = await stack.install();
  await page.goto(`${stack.wix}/#calls/${instance}`);
  await expect(page.locator("#live")).toHaveText("Reconnecting");
  await identify(stack, instance);
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(rows(page, "calls").filter({ hasText: "token-info" })).not.toHaveCount(0);
});
