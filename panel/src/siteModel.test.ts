import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Saved } from "./api";
import { Fault } from "./fault";
import { color } from "./kinds/color";
import { secret } from "./kinds/secret";
import { text } from "./kinds/text";
import type { Entry } from "./siteModel";
import { canUndo, createSiteModel, needsOwner } from "./siteModel";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const label = { en: "A label" };
const fields = [
  text("title", { fallback: "Hello", min: 1, max: 10, label }),
  color("paint", { fallback: "#fff", label }),
  secret("key", { label }),
];

type Answer = Saved | Fault;
type Sent = [Record<string, unknown>, version: number, leaving: boolean];

/** A server that sends these answers in order to loads and to saves. While it is held, saves wait. */
function site({ loads = [], saves = [] }: { loads?: Answer[]; saves?: Answer[] }) {
  const sent: Sent[] = [];
  const announced: number[] = [];
  let released = Promise.resolve();
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
  const api = {
    loadSettings: async () => next(loads),
    saveSettings: async (changes: Record<string, unknown>, version: number, leaving = false) => {
      sent.push([changes, version, leaving]);
      await released;
      return next(saves);
    },
  };
  const hold = () => {
    let release = () => {};
    released = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  };
  const model = createSiteModel(api, fields, (version) => announced.push(version), 500);
  const entry = (name: string): Entry => {
    const state = model.state.get();
    const found = state.status === "ready" ? state.entries[name] : undefined;
    if (!found) {
      throw new Error(`there is no ${name} while the state is ${state.status}`);
    }
    return found;
  };
  return { model, sent, announced, hold, entry };
}

const at = (version: number, title: string, paint = "#fff", key = false): Saved => ({
  settings: { title, paint, key },
  version,
});
const conflict = () => new Fault("version_conflict");
const settle = () => vi.advanceTimersByTimeAsync(0);
const pause = () => vi.advanceTimersByTimeAsync(500);

/** Loads "Hello" at version 3. */
async function ready(answers: { loads?: Answer[]; saves?: Answer[] } = {}) {
  const made = site({ ...answers, loads: [at(3, "Hello"), ...(answers.loads ?? [])] });
  await made.model.load();
  return made;
}

/** As ready, and the title is being changed to "Welcome". */
async function edited(answers: { loads?: Answer[]; saves?: Answer[] } = {}) {
  const made = await ready(answers);
  made.model.type("title", "Welcome");
  return made;
}

describe("loading", () => {
  it("shows every setting", async () => {
    const { entry } = await ready();
    expect([entry("title").value, entry("paint").value, entry("key").value]).toEqual([
      "Hello",
      "#fff",
      false,
    ]);
  });

  it("fails with the fault, and can be tried again", async () => {
    const { model, entry } = site({ loads: [new Fault("wix_unavailable"), at(1, "Hi")] });
    await model.load();
    expect(model.state.get()).toMatchObject({
      status: "failed",
      fault: { code: "wix_unavailable" },
    });
    await model.load();
    expect(entry("title").value).toBe("Hi");
  });

  it("ignores edits while there is no form", async () => {
    const { model, sent } = site({});
    model.set("title", "x");
    model.flush();
    await pause();
    expect(sent).toEqual([]);
  });
});

describe("saving", () => {
  it("waits for a pause of the typing, and sends what has changed alone", async () => {
    const { model, sent, announced, entry } = await edited({ saves: [at(4, "Welcome!")] });
    await vi.advanceTimersByTimeAsync(400);
    model.type("title", "Welcome!");
    await vi.advanceTimersByTimeAsync(400);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual([[{ title: "Welcome!" }, 3, false]]);
    expect(entry("title").progress).toBe("saved");
    expect(announced).toEqual([4]);
  });

  it.each(["set", "flush"] as const)("does not wait after %s", async (call) => {
    const { model, sent } = await edited({ saves: [at(4, "Welcome", "#000"), at(5, "Welcome")] });
    if (call === "set") {
      model.set("paint", "#000");
    } else {
      model.flush();
    }
    await settle();
    expect(sent).toEqual([
      [call === "set" ? { title: "Welcome", paint: "#000" } : { title: "Welcome" }, 3, false],
    ]);
    await pause();
    expect(sent).toHaveLength(1);
  });

  it("sends one request at a time, and then what has changed meanwhile", async () => {
    const { model, sent, hold, entry } = await edited({
      saves: [at(4, "Welcome"), at(5, "Welcome", "#000")],
    });
    const release = hold();
    model.flush();
    model.set("paint", "#000");
    await settle();
    expect(sent).toHaveLength(1);
    release();
    await settle();
    expect(sent[1]).toEqual([{ paint: "#000" }, 4, false]);
    expect(entry("paint").progress).toBe("saved");
  });

  it("leaves what is typed during a save alone, and saves it after its own pause", async () => {
    const { model, sent, hold, entry } = await edited({ saves: [at(4, "Welcome"), at(5, "Welc")] });
    const release = hold();
    model.flush();
    model.type("title", "Welc");
    release();
    await settle();
    expect([sent.length, entry("title").value, entry("title").progress]).toEqual([1, "Welc", ""]);
    await pause();
    expect(sent[1]).toEqual([{ title: "Welc" }, 4, false]);
  });

  it("keeps a space at the end while one is typing, and drops it at the end of the typing", async () => {
    const { model, sent, entry } = await ready({ saves: [at(4, "Good")] });
    model.type("title", "Good ");
    await pause();
    expect(sent).toEqual([[{ title: "Good" }, 3, false]]);
    expect([entry("title").value, entry("title").progress]).toEqual(["Good ", "saved"]);
    model.flush();
    expect(entry("title").value).toBe("Good");
    await pause();
    expect(sent).toHaveLength(1);
  });

  it.each([
    ["unchanged", "Hello"],
    ["unchanged but for spaces", " Hello "],
    ["empty", ""],
    ["too long", "x".repeat(11)],
  ])("does nothing while the title is %s", async (_, value) => {
    const { model, sent, entry } = await ready();
    model.type("title", value);
    await pause();
    expect(sent).toEqual([]);
    expect(entry("title").value).toBe(value);
  });

  it("a value that is not valid keeps no other from being saved", async () => {
    const { model, sent, entry } = await ready({ saves: [at(4, "Hello", "#000")] });
    model.type("title", "");
    model.set("paint", "#000");
    await settle();
    expect(sent).toEqual([[{ paint: "#000" }, 3, false]]);
    expect(entry("title")).toMatchObject({ value: "", wrong: { reason: "empty" } });
    expect(needsOwner(model.state.get())).toBe(true);
  });

  it.each([
    "offline",
    "no_token",
    "token_expired",
    "owner_required",
    "rate_limited",
    "wix_timeout",
    "internal",
  ])("after %s the draft stays, and can be sent again", async (code) => {
    const { model, sent, announced, entry } = await edited({
      saves: [new Fault(code), at(4, "Welcome")],
    });
    await pause();
    expect(model.state.get()).toMatchObject({ status: "ready", fault: { code } });
    expect([entry("title").value, entry("title").progress, announced]).toEqual(["Welcome", "", []]);
    model.retry();
    await settle();
    expect(sent[1]).toEqual([{ title: "Welcome" }, 3, false]);
    expect(model.state.get()).toMatchObject({ fault: null });
    expect(entry("title").progress).toBe("saved");
  });

  it("the next edit clears a fault", async () => {
    const { model } = await edited({ saves: [new Fault("offline")] });
    await pause();
    model.type("title", "Welcome!");
    expect(model.state.get()).toMatchObject({ fault: null });
  });
});

describe("a refusal", () => {
  const refused = (...names: string[]) =>
    new Fault("invalid_settings", {
      fields: names.map((name) => ({ name, reason: "must not be rude" })),
    });

  it("shows at the field, and the others are saved without it", async () => {
    const { model, sent, entry } = await edited({
      saves: [refused("title"), at(4, "Hello", "#000")],
    });
    model.set("paint", "#000");
    await settle();
    expect(sent.map(([changes]) => changes)).toEqual([
      { title: "Welcome", paint: "#000" },
      { paint: "#000" },
    ]);
    expect(entry("title")).toMatchObject({
      value: "Welcome",
      wrong: { reason: "refused", words: "must not be rude" },
    });
    expect(model.state.get()).toMatchObject({ fault: null });
  });

  it("is not repeated for the same value, and ends with the next one", async () => {
    const { model, sent, entry } = await edited({ saves: [refused("title"), at(4, "Kind")] });
    await pause();
    model.flush();
    model.retry();
    await pause();
    expect(sent).toHaveLength(1);
    model.type("title", "Kind");
    await pause();
    expect(entry("title")).toMatchObject({ wrong: null, progress: "saved" });
  });

  it("that names no field that was sent shows as a fault", async () => {
    const { model, entry } = await edited({ saves: [refused("other")] });
    await pause();
    expect(entry("title").wrong).toBeNull();
    expect(model.state.get()).toMatchObject({ fault: { code: "invalid_settings" } });
  });
});

describe("undo", () => {
  it("goes back to the value before the typing, also after it is saved", async () => {
    const { model, sent, entry } = await ready({ saves: [at(4, "Good day"), at(5, "Hello")] });
    model.type("title", "Good");
    model.type("title", "Good day");
    expect(canUndo(entry("title"))).toBe(true);
    await pause();
    model.undo("title");
    await settle();
    expect(sent[1]).toEqual([{ title: "Hello" }, 4, false]);
    expect(entry("title").value).toBe("Hello");
    expect(canUndo(entry("title"))).toBe(false);
  });

  it("goes back to the end of the typing before", async () => {
    const { model, entry } = await ready({ saves: [at(4, "One"), at(5, "Two"), at(6, "One")] });
    model.type("title", "One");
    model.flush();
    await settle();
    model.type("title", "Two");
    model.flush();
    await settle();
    model.undo("title");
    expect(entry("title").value).toBe("One");
  });

  it("is of one field", async () => {
    const { model, entry } = await edited({
      saves: [at(4, "Welcome", "#000"), at(5, "Hello", "#000")],
    });
    model.set("paint", "#000");
    await settle();
    model.undo("title");
    await settle();
    expect([entry("title").value, entry("paint").value]).toEqual(["Hello", "#000"]);
  });

  it("corrects what is not valid", async () => {
    const { model, sent, entry } = await ready();
    model.type("title", "");
    model.undo("title");
    await pause();
    expect(entry("title")).toMatchObject({ value: "Hello", wrong: null });
    expect(sent).toEqual([]);
  });
});

describe("a secret", () => {
  it("is sent, and not known afterwards", async () => {
    const { model, sent, entry } = await ready({ saves: [at(4, "Hello", "#fff", true)] });
    model.set("key", " hunter2 ");
    await settle();
    expect(sent).toEqual([[{ key: "hunter2" }, 3, false]]);
    expect(entry("key")).toMatchObject({ value: true, stored: true, progress: "saved" });
    expect(JSON.stringify(model.state.get())).not.toContain("hunter2");
  });

  it("is removed by an empty text", async () => {
    const { model, sent, entry } = site({
      loads: [at(3, "Hello", "#fff", true)],
      saves: [at(4, "Hello")],
    });
    await model.load();
    model.set("key", "");
    await settle();
    expect(sent).toEqual([[{ key: "" }, 3, false]]);
    expect(entry("key").value).toBe(false);
  });
});

describe("two people save", () => {
  it("different settings: both stay, without a question", async () => {
    const { model, sent, entry, announced } = await edited({
      saves: [conflict(), at(10, "Welcome", "#000")],
      loads: [at(9, "Hello", "#000")],
    });
    await pause();
    expect(sent).toEqual([
      [{ title: "Welcome" }, 3, false],
      [{ title: "Welcome" }, 9, false],
    ]);
    expect([entry("title").value, entry("paint").value]).toEqual(["Welcome", "#000"]);
    expect(entry("title").progress).toBe("saved");
    expect(announced).toEqual([9, 10]);
    expect(needsOwner(model.state.get())).toBe(false);
  });

  it("the same setting: both values are shown, and other settings are saved", async () => {
    const { model, sent, entry } = await edited({
      saves: [conflict(), at(10, "Good day", "#000")],
      loads: [at(9, "Good day")],
    });
    model.set("paint", "#000");
    await settle();
    expect(sent[1]).toEqual([{ paint: "#000" }, 9, false]);
    expect(entry("title")).toMatchObject({ conflict: true, value: "Welcome", stored: "Good day" });
    expect(canUndo(entry("title"))).toBe(false);
    expect(needsOwner(model.state.get())).toBe(true);
  });

  const collided = (saves: Answer[] = [], loads: Answer[] = []) =>
    edited({ saves: [conflict(), ...saves], loads: [at(9, "Good day"), ...loads] }).then(
      async (made) => {
        await pause();
        return made;
      },
    );

  it("taking theirs needs no save, and can be undone", async () => {
    const { model, sent, entry, announced } = await collided([at(10, "Welcome")]);
    model.takeTheirs("title");
    await pause();
    expect(entry("title")).toMatchObject({ value: "Good day", conflict: false, progress: "saved" });
    expect([sent.length, announced]).toEqual([1, [9]]);
    model.undo("title");
    await settle();
    expect(sent[1]).toEqual([{ title: "Welcome" }, 9, false]);
  });

  it("keeping mine saves with their version", async () => {
    const { model, sent, entry } = await collided([at(10, "Welcome")]);
    model.keepMine("title");
    await settle();
    expect(sent[1]).toEqual([{ title: "Welcome" }, 9, false]);
    expect(entry("title")).toMatchObject({ conflict: false, progress: "saved" });
  });

  it("what is typed meanwhile is mine, and theirs typed by hand is agreement", async () => {
    const { model, sent, entry } = await collided();
    model.type("title", "Good da");
    await pause();
    expect(entry("title").conflict).toBe(true);
    model.type("title", "Good day");
    await pause();
    expect(entry("title").conflict).toBe(false);
    expect(sent).toHaveLength(1);
  });

  it("a third save leads to another conflict", async () => {
    const { model, entry } = await collided([conflict()], [at(10, "Servus")]);
    model.keepMine("title");
    await settle();
    expect(entry("title")).toMatchObject({ conflict: true, stored: "Servus" });
  });

  it("our own save, whose answer was lost, is no conflict", async () => {
    const { model, entry, announced } = await edited({
      saves: [new Fault("offline"), conflict()],
      loads: [at(4, "Welcome")],
    });
    await pause();
    model.retry();
    await settle();
    expect(entry("title")).toMatchObject({ progress: "saved", conflict: false });
    expect(announced).toEqual([4]);
  });

  it("nor is it when more has been typed since", async () => {
    const { model, sent, entry } = await edited({
      saves: [new Fault("offline"), conflict(), at(5, "Welcome!")],
      loads: [at(4, "Welcome")],
    });
    await pause();
    model.type("title", "Welcome!");
    await pause();
    expect(sent[2]).toEqual([{ title: "Welcome!" }, 4, false]);
    expect(entry("title").progress).toBe("saved");
  });

  it("the draft stays when theirs cannot be loaded", async () => {
    const { model, entry } = await edited({
      saves: [conflict()],
      loads: [new Fault("wix_timeout")],
    });
    await pause();
    expect(entry("title").value).toBe("Welcome");
    expect(model.state.get()).toMatchObject({ fault: { code: "wix_timeout" } });
  });

  it("a server that refuses its own version is a fault, not a loop", async () => {
    const { model, sent } = await edited({ saves: [conflict()], loads: [at(3, "Hello")] });
    await pause();
    expect(sent).toHaveLength(1);
    expect(model.state.get()).toMatchObject({ fault: { code: "version_conflict" } });
  });
});

describe("leaving", () => {
  it("sends what is typed at once", async () => {
    const { model, sent } = await edited({ saves: [at(4, "Welcome")] });
    model.leave();
    expect(sent).toEqual([[{ title: "Welcome" }, 3, true]]);
    await pause();
    expect(sent).toHaveLength(1);
  });

  it("during a save counts on its version", async () => {
    const { model, sent, hold } = await edited({ saves: [at(4, "Welcome"), at(5, "Welcome!")] });
    hold();
    model.flush();
    model.type("title", "Welcome!");
    model.leave();
    expect(sent[1]).toEqual([{ title: "Welcome!" }, 4, true]);
  });

  it("sends nothing that is not valid or not changed", async () => {
    const { model, sent } = await ready();
    model.leave();
    model.type("title", "");
    model.leave();
    await pause();
    expect(sent).toEqual([]);
  });
});
