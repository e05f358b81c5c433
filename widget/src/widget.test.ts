import { expect, test, vi } from "vitest";
import { tag } from "../../app.json";

test("the script may be on the page twice", async () => {
  await import("./widget");
  const first = customElements.get(tag);
  expect(first).toBeDefined();
  vi.resetModules();
  await import("./widget");
  expect(customElements.get(tag)).toBe(first);
});
