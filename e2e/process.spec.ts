// The program as a process: signals, kills, ports in use, and its log.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, own, Program } from "./process";
import { expect, id, Stack, test } from "./stack";

test("SIGTERM drains: unready at once, still serving, then exit code 0", async () => {
  const stack = await new Stack().start();
  try {
    const token = await stack.token();
    expect((await stack.ask("get-instance", token)).status).toBe(200);
    stack.server.kill("SIGTERM");
    await expect
      .poll(async () => (await fetch(`${stack.app}/readyz`)).status, { intervals: [10] })
      .toBe(503);
    expect((await stack.ask("get-instance", token)).status).toBe(200);
    expect(await stack.server.ended).toEqual({ code: 0, signal: null });
  } finally {
    await stack.stop();
  }
});

test("a request in flight at SIGINT is answered", async () => {
  const stack = await new Stack().start();
  try {
    await stack.fault({ endpoint: "token-info", latency: "3s", count: 1 });
    const answer = stack.ask("get-instance", await stack.token());
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // until the request is in flight, which has no event to wait for
    stack.server.kill("SIGINT");
    expect((await answer).status).toBe(200);
    expect((await stack.server.ended).code).toBe(0);
  } finally {
    await stack.stop();
  }
});

test("a port in use is reported in one sentence", async ({ stack }) => {
  const second = new Program(["serve"], {
    WIX_APP_ID: "6f0c1f8e-2f0a-4a6e-9d5a-0d8f3b7a1c11",
    WIX_APP_SECRET: "y",
    ...own({
      ADDR: new URL(stack.app).host,
      ADMIN_ADDR: "127.0.0.1:0",
      DATABASE_URL: `sqlite:${join(tmpdir(), `${id}-taken-${process.pid}.db`)}`,
    }),
  });
  expect((await second.ended).code).toBe(1);
  expect(second.output).toContain("address already in use");
  await rm(join(tmpdir(), `${id}-taken-${process.pid}.db`), { force: true });
});

test("the demo needs no configuration and leaves no files", async () => {
  const folder = await mkdtemp(join(tmpdir(), `${id}-demo-`));
  const url = `http://127.0.0.1:${await freePort()}`;
  const demo = new Program(["demo", `--addr=${new URL(url).host}`], { HOME: folder });
  await demo.ready(`${url}/readyz`);
  expect(demo.output).toContain(`Open ${url}/`);
  await demo.stop();
  expect((await demo.ended).code).toBe(0);
  await rm(folder, { recursive: true });
});

test("after every fault the log contains no token and no secret", async () => {
  const stack = await new Stack().start();
  try {
    const tokens = [
      await stack.token(),
      await stack.token({ subject: "USER" }),
      await stack.token({ ttl: -60 }),
      await stack.token({ active: false }),
      await stack.token({ appId: "99999999-9999-4999-8999-999999999999" }),
    ];
    const faults = [{}, { status: 500 }, { outage: true }, { body: "<html>" }, { status: 429 }];
    for (const fault of faults) {
      if (Object.keys(fault).length > 0) {
        await stack.fault(fault);
      }
      tokens.push(await stack.token());
      for (const token of tokens) {
        await stack.ask("get-instance", token);
        await stack.ask("get-instance-data", token);
      }
    }
    expect(stack.server.output).toContain("request failed");
    for (const token of tokens) {
      expect(stack.server.output).not.toContain(token.slice(20));
    }
    expect(stack.server.output).not.toContain(stack.secret);
    expect(stack.server.output).not.toContain("@example.com");
  } finally {
    await stack.stop();
  }
});
