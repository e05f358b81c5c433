import { expect, test } from "vitest";
import { maxCopies, Stage, type StageChange } from "./stage";

function stage(...initial: Record<string, string>[]) {
  const clock = { now: 0 };
  const s = new Stage(initial, () => clock.now);
  const changes: StageChange[] = [];
  s.subscribe((c) => changes.push(c));
  const ids = () => s.elements.map((e) => e.id);
  const names = () => s.elements.map((e) => e.attributes["display-name"] ?? "");
  return { s, clock, changes, ids, names };
}

test("the first element is selected at the start", () => {
  const { s, ids } = stage({ "display-name": "Ada" }, {});
  expect(s.selected).toBe(ids()[0]);
  expect(stage().s.selected).toBeNull();
});

test("setting an attribute is told, and changes that element alone", () => {
  const { s, changes, ids, names } = stage({ "display-name": "Ada" }, { "display-name": "Bo" });
  s.setAttribute(ids()[1] ?? "", "display-name", "Cy");
  expect(names()).toEqual(["Ada", "Cy"]);
  expect(changes).toEqual(["attribute"]);
});

test("setting what is set already, or on an element that is not there, is no change", () => {
  const { s, changes, ids } = stage({ "display-name": "Ada" });
  s.setAttribute(ids()[0] ?? "", "display-name", "Ada");
  s.setAttribute(ids()[0] ?? "", "align", null);
  s.setAttribute("nobody", "align", "end");
  expect(changes).toEqual([]);
  expect(s.canUndo).toBe(false);
});

test("null removes an attribute, and undo brings it back", () => {
  const { s, ids, names } = stage({ "display-name": "Ada" });
  s.setAttribute(ids()[0] ?? "", "display-name", null);
  expect(s.elements[0]?.attributes).toEqual({});
  s.undo();
  expect(names()).toEqual(["Ada"]);
});

test("typing one name is one step of the history", () => {
  const { s, clock, ids, names } = stage({ "display-name": "A" });
  for (const text of ["Ad", "Ada"]) {
    clock.now += 200;
    s.setAttribute(ids()[0] ?? "", "display-name", text);
  }
  s.undo();
  expect(names()).toEqual(["A"]);
  s.redo();
  expect(names()).toEqual(["Ada"]);
});

test("the same attribute of two elements makes two steps", () => {
  const { s, ids, names } = stage({}, {});
  for (const id of ids()) {
    s.setAttribute(id, "display-name", "Ada");
  }
  s.undo();
  expect(names()).toEqual(["Ada", ""]);
});

test("a duplicate stands after its original, with its attributes, and is selected", () => {
  const { s, ids, names } = stage({ "display-name": "Ada" }, { "display-name": "Bo" });
  const copy = s.duplicate(ids()[0] ?? "");
  expect(names()).toEqual(["Ada", "Ada", "Bo"]);
  expect(s.selected).toBe(copy);
  expect(new Set(ids()).size).toBe(3);
});

test("a duplicate has settings of its own", () => {
  const { s, ids, names } = stage({ "display-name": "Ada" });
  s.setAttribute(s.duplicate(ids()[0] ?? "") ?? "", "display-name", "Bo");
  expect(names()).toEqual(["Ada", "Bo"]);
});

test("a full page takes no more copies", () => {
  const { s } = stage({});
  while (s.add() !== null) {}
  expect(s.elements.length).toBe(maxCopies);
  expect(s.duplicate(s.elements[0]?.id ?? "")).toBeNull();
});

test("what is not there cannot be duplicated, removed or selected", () => {
  const { s, changes } = stage({});
  expect(s.duplicate("nobody")).toBeNull();
  s.remove("nobody");
  s.select("nobody");
  expect(changes).toEqual([]);
});

test.each([
  ["the first", 0, 1],
  ["one between", 1, 2],
  ["the last", 2, 1],
])("after %s is removed, its neighbour is selected", (_, removed, selected) => {
  const { s, ids } = stage({}, {}, {});
  const before = ids();
  s.select(before[removed] ?? "");
  s.remove(before[removed] ?? "");
  expect(s.selected).toBe(before[selected]);
});

test("an empty page has no selection, and an undo selects what it brings back", () => {
  const { s, ids } = stage({});
  const [id] = ids();
  s.remove(id ?? "");
  expect(s.selected).toBeNull();
  s.undo();
  expect(s.selected).toBe(id);
});

test("undoing an addition moves the selection off it", () => {
  const { s, ids, changes } = stage({});
  s.add();
  s.undo();
  expect(s.selected).toBe(ids()[0]);
  expect(changes).toEqual(["elements", "history"]);
});

test("selecting is no step of the history", () => {
  const { s } = stage({}, {});
  s.select(null);
  expect(s.canUndo).toBe(false);
});

test("who has unsubscribed is told nothing more", () => {
  const { s } = stage({});
  const told: StageChange[] = [];
  const stop = s.subscribe((c) => told.push(c));
  s.add();
  stop();
  s.add();
  expect(told).toEqual(["elements"]);
});
