import { expect, test } from "vitest";
import { History } from "./history";

function history(limit = 100) {
  const clock = { now: 0 };
  return { clock, h: new History<string>("a", () => clock.now, 800, limit) };
}

test("initially there is nothing to undo or redo, and both do nothing", () => {
  const { h } = history();
  expect([h.canUndo, h.canRedo, h.undo(), h.redo(), h.present]).toEqual([
    false,
    false,
    false,
    false,
    "a",
  ]);
});

test("undo goes back one step, and redo forward again", () => {
  const { h } = history();
  h.push("b");
  h.push("c");
  expect(h.undo() && h.present).toBe("b");
  expect(h.undo() && h.present).toBe("a");
  expect(h.redo() && h.present).toBe("b");
  expect(h.canRedo).toBe(true);
});

test("quick changes of one key are one step", () => {
  const { h, clock } = history();
  for (const [at, state] of [
    [0, "b"],
    [500, "c"],
    [1200, "d"],
  ] as const) {
    clock.now = at;
    h.push(state, "name");
  }
  h.undo();
  expect(h.present).toBe("a");
});

test("slow changes of one key are separate steps", () => {
  const { h, clock } = history();
  h.push("b", "name");
  clock.now = 801;
  h.push("c", "name");
  h.undo();
  expect(h.present).toBe("b");
});

test("changes of different keys, or of none, are separate steps", () => {
  const { h } = history();
  h.push("b", "name");
  h.push("c", "color");
  h.push("d");
  h.push("e");
  const seen: string[] = [];
  while (h.undo()) {
    seen.push(h.present);
  }
  expect(seen).toEqual(["d", "c", "b", "a"]);
});

test("a change after an undo starts a step, and drops the undone ones", () => {
  const { h } = history();
  h.push("b", "name");
  h.undo();
  h.push("c", "name");
  expect(h.canRedo).toBe(false);
  h.undo();
  expect(h.present).toBe("a");
});

test("the oldest steps are dropped beyond the limit", () => {
  const { h } = history(2);
  for (const s of ["b", "c", "d"]) {
    h.push(s);
  }
  while (h.undo()) {}
  expect(h.present).toBe("b");
});
