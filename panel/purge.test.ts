// @vitest-environment node
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { blockOf, blocksIn, purge } from "./purge";

const designSystem = createRequire(import.meta.url).resolve("@wix/design-system/styles.global.css");

describe("the block of a class", () => {
  it.each([
    ["wds_1_328_0-toggle-switch", "toggle-switch"],
    ["wds_1_328_0-toggle-switch--size-small", "toggle-switch"],
    ["wds_1_328_0-toggle-switch__knob-icon", "toggle-switch"],
    ["wds_1_328_0-toggle-switch__knob--checked", "toggle-switch"],
    ["wds-toggle-switch--checked", "toggle-switch"],
    ["wds_1_328_0_Box__root", "Box"],
    ["wds_1_328_0_Box---gap-3-SP2", "Box"],
    ["os-scrollbar", null],
    ["panel", null],
  ])("%s", (className, block) => {
    expect(blockOf(className)).toBe(block);
  });
});

describe("the blocks that a module names", () => {
  it.each([
    ["export const classes = defineClassNames('side-panel', {});", ["side-panel"]],
    ['var _namespace_ = "wds_1_328_0_Box";', ["Box"]],
    ["const classes = other('side-panel');", []],
  ])("%s", (code, blocks) => {
    expect(blocksIn(code)).toEqual(blocks);
  });
});

describe("purging", () => {
  const keep = (css: string, code = "") => purge(css, new Set(["button", "focus-ring"]), code);

  it.each<[string, string, string?]>([
    ["a part", ".wds_1_328_0-button__prefix{a:b}"],
    ["a state", ".wds_1_328_0-button.wds_1_328_0-button--disabled{a:b}"],
    ["a state within :not", ".wds_1_328_0-button:not(.wds_1_328_0-button--disabled):hover{a:b}"],
    [
      "a rule with no specificity",
      ".wds_1_328_0-focus-ring:where(:not(.wds_1_328_0-focus-ring--pseudo)):focus-visible{a:b}",
    ],
    ["a rule for one direction", '[dir="rtl"] .wds_1_328_0-button{a:b}', "dir rtl"],
    ["the page's own elements", "html,body{a:b}"],
    ["a class that the code names", ".panel{a:b}", 'className: "panel"'],
  ])("keeps %s", async (_, css, code) => {
    expect(await keep(css, code)).toBe(css);
  });

  it("keeps a rule that is only :where", async () => {
    const css =
      ":where(.wds_1_328_0-focus-ring:focus-visible,.wds_1_328_0-focus-ring--forced){a:b}";
    expect(await keep(css)).toBe(`*${css}`);
  });

  it.each([
    ["another component", ".wds_1_328_0-calendar__day{a:b}"],
    [
      "another component inside one that is there",
      ".wds_1_328_0-button .wds_1_328_0-calendar{a:b}",
    ],
    ["a class that is not named", ".os-theme{a:b}"],
    ["an animation that is not used", "@keyframes spin{to{a:b}}"],
    ["a variable that is not read", ".wds_1_328_0-button{--wds-calendar: 1px}"],
  ])("drops %s", async (_, css) => {
    expect(await keep(css)).not.toContain(":b");
    expect(await keep(css)).not.toContain("1px");
  });

  it("keeps a variable that is read, or that the code names", async () => {
    expect(await keep(":root{--x: 1px}.wds_1_328_0-button{a:var(--x)}")).toContain("--x: 1px");
    expect(await keep(":root{--y: 1px}", 'style["--y"]')).toContain("--y: 1px");
  });

  it("reduces the real stylesheet to the switch, with all its states", async () => {
    const css = readFileSync(designSystem, "utf8");
    const cut = await purge(css, new Set(["toggle-switch"]), "");
    const states = new Set(css.match(/wds_1_328_0-toggle-switch[\w-]*/g));
    expect(states.size).toBeGreaterThan(10);
    expect(new Set(cut.match(/wds_1_328_0-toggle-switch[\w-]*/g))).toEqual(states);
    expect(cut).not.toContain("calendar");
    expect(cut.length).toBeLessThan(css.length / 20);
  });
});
