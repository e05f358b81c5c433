import { describe, expect, it, vi } from "vitest";
import type { Painter } from "./contrast";
import { contrastOf, ownColor } from "./contrast";

vi.stubGlobal("CSS", { supports: (_: string, color: string) => color.startsWith("#") });

/** Understands #rrggbb alone. The real one is the browser's canvas. */
const paint: Painter = (...layers) => {
  const hex = layers.at(-1) ?? "";
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [
    number,
    number,
    number,
  ];
};

describe("the contrast", () => {
  it.each([
    ["#000000", "#ffffff", 21],
    ["#ffffff", "#000000", 21],
    ["#767676", "#ffffff", 4.54],
    ["#777777", "#ffffff", 4.48],
    ["#cccccc", "#ffffff", 1.61],
    ["#1b2440", "#1b2440", 1],
    ["var(--wst-accent, #6d2a4c)", "#ffffff", 10.03],
  ])("of %s on %s is %d", (color, on, contrast) => {
    expect(contrastOf(color, on, paint)).toBeCloseTo(contrast, 1);
  });

  it.each([
    ["", "#ffffff"],
    ["#ffffff", "linear-gradient(red, blue)"],
    ["var(--wst-accent)", "#ffffff"],
  ])("of %j on %j is not known", (color, on) => {
    expect(contrastOf(color, on, paint)).toBeNull();
  });
});

describe("the color that is meant", () => {
  it.each([
    [" #fff ", "#fff"],
    ["var(--x, #fff)", "#fff"],
    ["var(--x, var(--y, rgb(1, 2, 3)))", "rgb(1, 2, 3)"],
    ["var(--x)", "var(--x)"],
  ])("by %s", (color, own) => {
    expect(ownColor(color)).toBe(own);
  });
});
