import { expect, test, vi } from "vitest";
import { tag } from "../../app.json";

test("the class alone defines nothing, and may be extended under any number of tags", async () => {
  vi.resetModules();
  const { default: Widget } = await import("./class");
  expect(customElements.get(tag)).toBeUndefined();
  customElements.define("my-first", class extends Widget {});
  customElements.define("my-second", class extends Widget {});
  for (const name of ["my-first", "my-second"]) {
    const copy = document.createElement(name);
    expect(copy).toBeInstanceOf(Widget);
    expect(copy.shadowRoot).not.toBeNull();
  }
});

test("the script may be on the page twice", async () => {
  await import("./widget");
  const first = customElements.get(tag);
  expect(first).toBeDefined();
  vi.resetModules();
  await import("./widget");
  expect(customElements.get(tag)).toBe(first);
});
