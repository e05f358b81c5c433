import { describe, expect, it } from "vitest";
import type { Api, GuestDay } from "./api";
import { Fault } from "./fault";
import { barHeights, createGuestsModel, totalOf } from "./guestsModel";

const unused = async () => {
  throw new Error("the guests need nothing else");
};

/** A server that sends these answers in order. */
function guests(...answers: (GuestDay[] | Error)[]) {
  const api: Api = {
    loadSettings: unused,
    saveSettings: unused,
    loadInstance: unused,
    loadGuests: async () => {
      const answer = answers.shift();
      if (answer instanceof Error) {
        throw answer;
      }
      return answer ?? [];
    },
  };
  return createGuestsModel(api);
}

const week = (...numbers: number[]): GuestDay[] =>
  numbers.map((count, index) => ({ day: `2026-11-${19 + index}`, guests: count }));

describe("loading", () => {
  it("goes through loading to ready", async () => {
    const model = guests(week(1, 2));
    const seen: string[] = [];
    model.state.subscribe(() => seen.push(model.state.get().status));
    await model.load();
    expect(seen).toEqual(["loading", "ready"]);
    expect(model.state.get()).toEqual({ status: "ready", days: week(1, 2) });
  });

  it("fails with the fault, and can be tried again", async () => {
    const model = guests(new Fault("store_unavailable"), week(3));
    await model.load();
    expect(model.state.get()).toMatchObject({
      status: "failed",
      fault: { code: "store_unavailable" },
    });
    await model.load();
    expect(model.state.get()).toEqual({ status: "ready", days: week(3) });
  });

  it("never rejects, whatever is thrown", async () => {
    const model = guests(new TypeError("x is not a function"));
    await model.load();
    expect(model.state.get()).toMatchObject({ status: "failed", fault: { code: "internal" } });
  });
});

describe("the total", () => {
  it.each([
    [[], 0],
    [[0, 0, 0], 0],
    [[1, 0, 41], 42],
  ])("of %j is %i", (numbers, total) => {
    expect(totalOf(week(...numbers))).toBe(total);
  });
});

describe("the bars", () => {
  it.each<[string, number[], number[]]>([
    ["the highest day fills its column", [5, 10], [50, 100]],
    ["a day without guests has none", [0, 3], [0, 100]],
    ["one guest beside many can still be seen", [1, 1000], [4, 100]],
    ["a week without guests has none", [0, 0], [0, 0]],
    ["no days", [], []],
  ])("%s", (_, numbers, heights) => {
    expect(barHeights(week(...numbers))).toEqual(heights);
  });
});
