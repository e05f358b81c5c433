import { describe, expect, it } from "vitest";
import type { Api, Saved } from "./api";
import { Fault } from "./fault";
import { canSave, createSiteModel, greetingFault } from "./siteModel";

type Answer = Saved | Fault;

/** A server that sends these answers in order to loads and to saves. */
function site({ loads = [], saves = [] }: { loads?: Answer[]; saves?: Answer[] }) {
  const sent: [string, number][] = [];
  const announced: number[] = [];
  const next = (answers: Answer[]) => {
    const answer = answers.shift();
    if (answer === undefined) {
      throw new Error("one request too many");
    }
    if (answer instanceof Fault) {
      throw answer;
    }
    return answer;
  };
  const api: Api = {
    loadSettings: async () => next(loads),
    saveSettings: async ({ greeting }, version) => {
      sent.push([greeting, version]);
      return next(saves);
    },
    loadInstance: async () => ({}),
    loadGuests: async () => [],
  };
  return { model: createSiteModel(api, (version) => announced.push(version)), sent, announced };
}

const at = (version: number, greeting: string): Saved => ({ settings: { greeting }, version });
const conflict = new Fault("version_conflict");

/** Loads "Hello" at version 3 and types "Welcome". */
async function edited(answers: { loads?: Answer[]; saves?: Answer[] }) {
  const made = site({ ...answers, loads: [at(3, "Hello"), ...(answers.loads ?? [])] });
  await made.model.load();
  made.model.edit("Welcome");
  return made;
}

describe("loading", () => {
  it("shows the greeting", async () => {
    const { model } = site({ loads: [at(0, "Hello")] });
    await model.load();
    expect(model.state.get()).toMatchObject({ status: "ready", draft: "Hello", fault: null });
  });

  it("fails with the fault, and can be tried again", async () => {
    const { model } = site({ loads: [new Fault("wix_unavailable"), at(1, "Hi")] });
    await model.load();
    expect(model.state.get()).toMatchObject({
      status: "failed",
      fault: { code: "wix_unavailable" },
    });
    await model.load();
    expect(model.state.get()).toMatchObject({ status: "ready", draft: "Hi" });
  });
});

describe("saving", () => {
  it("goes through saving to saved, and announces the version", async () => {
    const { model, sent, announced } = await edited({ saves: [at(4, "Welcome")] });
    const seen: string[] = [];
    model.state.subscribe(() => seen.push(model.state.get().status));
    await model.save();
    expect(seen).toEqual(["saving", "saved"]);
    expect(sent).toEqual([["Welcome", 3]]);
    expect(announced).toEqual([4]);
  });

  it("the next save names the new version", async () => {
    const { model, sent } = await edited({ saves: [at(4, "Welcome"), at(5, "Hey")] });
    await model.save();
    model.edit("Hey");
    await model.save();
    expect(sent[1]).toEqual(["Hey", 4]);
  });

  it("sends the greeting without the spaces around it", async () => {
    const { model, sent } = await edited({ saves: [at(4, "Hey")] });
    model.edit("  Hey ");
    await model.save();
    expect(sent).toEqual([["Hey", 3]]);
  });

  it.each([
    ["unchanged", "Hello"],
    ["unchanged but for spaces", " Hello "],
    ["empty", ""],
    ["too long", "x".repeat(81)],
  ])("does nothing while the greeting is %s", async (_, draft) => {
    const { model, sent } = await edited({});
    model.edit(draft);
    await model.save();
    expect(sent).toEqual([]);
    expect(canSave(model.state.get())).toBe(false);
  });

  it("is sent once when called twice", async () => {
    const { model, sent } = await edited({ saves: [at(4, "Welcome")] });
    await Promise.all([model.save(), model.save()]);
    expect(sent).toHaveLength(1);
  });

  it.each([
    "offline",
    "no_token",
    "token_expired",
    "owner_required",
    "rate_limited",
    "wix_timeout",
    "internal",
  ])("after %s the draft stays", async (code) => {
    const { model, announced } = await edited({ saves: [new Fault(code)] });
    await model.save();
    expect(model.state.get()).toMatchObject({
      status: "ready",
      draft: "Welcome",
      fault: { code },
      saved: { version: 3 },
    });
    expect(announced).toEqual([]);
  });

  it("the next edit clears a fault", async () => {
    const { model } = await edited({ saves: [new Fault("offline")] });
    await model.save();
    model.edit("Welcome!");
    expect(model.state.get()).toMatchObject({ fault: null });
  });

  it("a fault in the field shows beside the field", async () => {
    const fields = [{ name: "greeting", reason: "must not be rude" }];
    const { model } = await edited({ saves: [new Fault("invalid_settings", { fields })] });
    await model.save();
    expect(model.state.get()).toMatchObject({
      status: "ready",
      fault: null,
      invalid: { reason: "refused", words: "must not be rude" },
    });
  });

  it("a refusal that names no field shows as a fault", async () => {
    const { model } = await edited({ saves: [new Fault("invalid_settings")] });
    await model.save();
    expect(model.state.get()).toMatchObject({ invalid: null, fault: { code: "invalid_settings" } });
  });
});

describe("two people save", () => {
  it("both values are shown", async () => {
    const { model } = await edited({ saves: [conflict], loads: [at(9, "Good day")] });
    await model.save();
    expect(model.state.get()).toEqual({
      status: "conflict",
      theirs: at(9, "Good day"),
      draft: "Welcome",
    });
  });

  it("taking theirs needs no save, and announces the version", async () => {
    const { model, sent, announced } = await edited({
      saves: [conflict],
      loads: [at(9, "Good day")],
    });
    await model.save();
    model.takeTheirs();
    expect(model.state.get()).toMatchObject({ status: "saved", draft: "Good day" });
    expect(sent).toHaveLength(1);
    expect(announced).toEqual([9]);
  });

  it("keeping mine saves with their version", async () => {
    const { model, sent } = await edited({
      saves: [conflict, at(10, "Welcome")],
      loads: [at(9, "Good day")],
    });
    await model.save();
    await model.keepMine();
    expect(sent[1]).toEqual(["Welcome", 9]);
    expect(model.state.get()).toMatchObject({ status: "saved", saved: { version: 10 } });
  });

  it("a third save leads to another conflict", async () => {
    const { model } = await edited({
      saves: [conflict, conflict],
      loads: [at(9, "Good day"), at(10, "Servus")],
    });
    await model.save();
    await model.keepMine();
    expect(model.state.get()).toMatchObject({ status: "conflict", theirs: at(10, "Servus") });
  });

  it("our own save, whose answer was lost, is no conflict", async () => {
    const { model, announced } = await edited({
      saves: [new Fault("offline"), conflict],
      loads: [at(4, "Welcome")],
    });
    await model.save();
    await model.save();
    expect(model.state.get()).toMatchObject({ status: "saved", draft: "Welcome" });
    expect(announced).toEqual([4]);
  });

  it("the draft stays when theirs cannot be loaded", async () => {
    const { model } = await edited({ saves: [conflict], loads: [new Fault("wix_timeout")] });
    await model.save();
    expect(model.state.get()).toMatchObject({
      status: "ready",
      draft: "Welcome",
      fault: { code: "wix_timeout" },
    });
  });
});

describe("a greeting", () => {
  it.each([
    ["Hello", null],
    ["é".repeat(80), null],
    ["🎉".repeat(80), null],
    ["🎉".repeat(81), "long"],
    ["", "empty"],
    ["   ", "empty"],
    ["a\tb", "control"],
    ["a\u0085b", "control"],
  ])("%j", (greeting, reason) => {
    expect(greetingFault(greeting)?.reason ?? null).toBe(reason);
  });
});
