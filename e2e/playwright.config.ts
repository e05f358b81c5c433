import { defineConfig } from "@playwright/test";

const executablePath = process.env.CHROMIUM;
if (!executablePath) {
  throw new Error('CHROMIUM is not set: run "make test-e2e", which finds or installs a browser.');
}

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.ts",
  outputDir: "../test-results",
  // A test that passes only when it is repeated is a finding: no retries.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  // No test is about the speed of the machine.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
