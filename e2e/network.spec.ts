// The offline Wix on a network: the browser asks for the password once, and the pages' own
// calls go on working.
import { expect, test } from "@playwright/test";
import { freePort, own, Program } from "./process";

const password = "correct horse battery";

test.use({ httpCredentials: { username: "sim", password } });

test("the pages work for a browser that has the password", async ({ page }) => {
  const port = await freePort();
  const sim = new Program(
    ["sim", `--addr=0.0.0.0:${port}`, "--allow-network", "--data=none"],
    own({ SIM_PASSWORD: password }),
  );
  const wix = `http://wix.localhost:${port}`;
  try {
    await expect(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/_sim/health`);
      expect(answer.status).toBe(401);
    }).toPass();
    expect((await fetch(`http://127.0.0.1:${port}/site`)).status).toBe(401);

    for (const path of ["/site", "/editor", "/"]) {
      expect((await page.goto(wix + path))?.status(), path).toBe(200);
    }
    const heard = await page.evaluate(async () => {
      const events = new EventSource("_sim/events");
      const first = new Promise((resolve, reject) => {
        events.addEventListener("install", ({ data }) => resolve(JSON.parse(data).instanceId));
        events.onerror = () => reject(new Error("no events"));
      });
      await new Promise((resolve) => events.addEventListener("open", resolve));
      const answer = await fetch("_sim/installs", { method: "POST", body: "{}" });
      const { instanceId } = await answer.json();
      return { instanceId, event: await first };
    });
    expect(heard.instanceId).toBeTruthy();
    expect(heard.event).toBe(heard.instanceId);
  } finally {
    await sim.stop();
  }
});
