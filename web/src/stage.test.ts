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

test("the first element is selected initially", () => {
  const { s, ids } = stage({ "display-name": "Ada" }, {});
  expect(s.selected).toBe(ids()[0]);
  expect(stage().s.selected).toBeNull();
});

test("setting an attribute notifies, and changes only that element", () => {
  const { s, changes, ids, names } = stage({ "display-name": "Ada" }, { "display-name": "Bo" });
  s.setAttribute(ids()[1] ?? "", "display-name", "Cy");
  expect(names()).toEqual(["Ada", "Cy"]);
  expect(changes).toEqual(["attribute"]);
});

test("setting the same value, or an unknown element, is no change", () => {
  const { s, changes, ids } = stage({ "display-name": "Ada" });
  s.setAttribute(ids()[0] ?? "", "display-name", "Ada");
  s.setAttribute(ids()[0] ?? "", "align", null);
  s.setAttribute("unknown", "align", "end");
  expect(changes).toEqual([]);
  expect(s.canUndo).toBe(false);
});

test("null removes an attribute, and undo restores it", () => {
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

test("a duplicate is after its original, with its attributes, and is selected", () => {
  const { s, ids, names } = stage({ "display-name": "Ada" }, { "display-name": "Bo" });
  const copy = s.duplicate(ids()[0] ?? "");
  expect(names()).toEqual(["Ada", "Ada", "Bo"]);
  expect(s.selected).toBe(copy);
  expect(new Set(ids()).size).toBe(3);
});

test("a duplicate's attributes are independent", () => {
  const { s, ids, names } = stage({ "display-name": "Ada" });
  s.setAttribute(s.duplicate(ids()[0] ?? "") ?? "", "display-name", "Bo");
  expect(names()).toEqual(["Ada", "Bo"]);
});

test("a full page accepts no more copies", () => {
  const { s } = stage({});
  while (s.add() !== null) {}
  expect(s.elements.length).toBe(maxCopies);
  expect(s.duplicate(s.elements[0]?.id ?? "")).toBeNull();
});

test("an unknown element cannot be duplicated, removed or selected", () => {
  const { s, changes } = stage({});
  expect(s.duplicate("unknown")).toBeNull();
  s.remove("unknown");
  s.select("unknown");
  expect(changes).toEqual([]);
});

test.each([
  ["the first", 0, 1],
  ["one between", 1, 2],
  ["the last", 2, 1],
])("after %s is removed, its neighbor is selected", (_, removed, selected) => {
  const { s, ids } = stage({}, {}, {});
  const before = ids();
  s.select(before[removed] ?? "");
  s.remove(before[removed] ?? "");
  expect(s.selected).toBe(before[selected]);
});

test("an empty page has no selection, and an undo selects the restored element", () => {
  const { s, ids } = stage({});
  const [id] = ids();
  s.remove(id ?? "");
  expect(s.selected).toBeNull();
  s.undo();
  expect(s.selected).toBe(id);
});

test("undoing an addition moves the selection to another element", () => {
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

test("an unsubscribed listener is not called", () => {
  const { s } = stage({});
  const changes: StageChange[] = [];
  const stop = s.subscribe((c) => changes.push(c));
  s.add();
  stop();
  s.add();
  expect(changes).toEqual(["elements"]);
});
