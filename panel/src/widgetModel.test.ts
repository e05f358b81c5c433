import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { choice } from "./kinds/choice";
import { color } from "./kinds/color";
import { font } from "./kinds/font";
import { text } from "./kinds/text";
import { toggle } from "./kinds/toggle";
import type { WidgetPort } from "./widgetModel";
import { createWidgetModel, faultCode } from "./widgetModel";

const label = { en: "A label" };
const fields = [
  text("displayName", { attribute: "display-name", fallback: "friend", max: 5, label }),
  color("textColor", { attribute: "text-color", fallback: "#123456", label }),
  font("font", { attribute: "font", label }),
  choice("align", {
    attribute: "align",
    fallback: "start",
    of: ["start", "center", "end"].map((value) => ({ value, label })),
    label,
  }),
  toggle("showStatus", { attribute: "show-status", fallback: true, label }),
];
const DEFAULTS = {
  displayName: "",
  textColor: "#123456",
  font: { font: "", textDecoration: "" },
  align: "start",
  showStatus: true,
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stage with one widget on it. Setting host.fault makes every call of the editor fail. */
function stage(attributes: Record<string, string> = {}) {
  const written: [string, string][] = [];
  const host = { attributes, written, fault: null as unknown };
  const port: WidgetPort = {
    getProp: async (name) => {
      if (host.fault) {
        throw host.fault;
      }
      return host.attributes[name] ?? null;
    },
    setProp: async (name, value) => {
      if (host.fault) {
        throw host.fault;
      }
      written.push([name, value]);
      host.attributes[name] = value;
    },
  };
  return { host, model: createWidgetModel(port, fields, 200) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const codeError = (code: string) => Object.assign(new Error(code), { code });
const unselected = codeError("UndefinedCompRef");

async function ready(attributes?: Record<string, string>) {
  const it = stage(attributes);
  await it.model.load();
  return it;
}

describe("loading", () => {
  it("changes the state once every attribute is read", async () => {
    const { model } = stage({ "display-name": "Ada" });
    const seen: string[] = [];
    model.state.subscribe(() => seen.push(model.state.get().status));
    await model.load();
    expect(seen).toEqual(["loading", "ready"]);
    expect(model.state.get()).toMatchObject({ values: { ...DEFAULTS, displayName: "Ada" } });
  });

  it.each([
    ["no selection", unselected, "no-selection"],
    ["no selection, as text", "[Widget Error]#UndefinedCompRef.", "no-selection"],
    ["no editor", codeError("IncorrectEnvironment"), "no-editor"],
    ["anything else", new TypeError("x is not a function"), "failed"],
    ["no error object", { odd: true }, "failed"],
  ])("%s", async (_, fault, status) => {
    const { host, model } = stage();
    host.fault = fault;
    await model.load();
    expect(model.state.get().status).toBe(status);
  });

  it("ignores edits while there is no form", async () => {
    const { host, model } = stage();
    model.set("align", "end");
    await settle();
    expect(host.written).toEqual([]);
  });
});

describe("typing", () => {
  it("shows at once and is written once, when it pauses", async () => {
    const { host, model } = await ready();
    for (const text of ["A", "Ad", "Ada"]) {
      model.type("displayName", text);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(model.state.get()).toMatchObject({ values: { displayName: "Ada" } });
    expect(host.written).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(host.written).toEqual([["display-name", "Ada"]]);
  });

  it("is written when the field loses the focus before the pause", async () => {
    const { host, model } = await ready();
    model.type("displayName", "Ada");
    model.flush();
    await settle();
    expect(host.written).toEqual([["display-name", "Ada"]]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(host.written).toHaveLength(1);
  });

  it("is not written after a reset", async () => {
    const { host, model } = await ready();
    model.type("displayName", "Ada");
    model.reset();
    await vi.advanceTimersByTimeAsync(1000);
    expect(host.attributes["display-name"]).toBe("");
  });

  it("is not written to the widget that is selected next", async () => {
    const { host, model } = await ready();
    model.type("displayName", "Ada");
    await model.selectionChanged([{ id: "other" }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(host.written).toEqual([]);
  });
});

describe("a value that is not valid", () => {
  it("is shown with what is wrong, and not written until it is corrected", async () => {
    const { host, model } = await ready();
    model.type("displayName", "Hopper");
    model.flush();
    await settle();
    expect(host.written).toEqual([]);
    expect(model.state.get()).toMatchObject({
      values: { displayName: "Hopper" },
      wrong: { displayName: { reason: "long", limit: 5 } },
    });
    model.type("displayName", "Grace");
    model.flush();
    await settle();
    expect(host.written).toEqual([["display-name", "Grace"]]);
    expect(model.state.get()).toMatchObject({ wrong: {} });
  });

  it("survives a refresh, but not another selection", async () => {
    const { model } = await ready({ "display-name": "Ada", align: "end" });
    model.type("displayName", "Hopper");
    await model.refresh();
    expect(model.state.get()).toMatchObject({
      values: { displayName: "Hopper", align: "end" },
      wrong: { displayName: { reason: "long" } },
    });
    await model.selectionChanged([{ id: "other" }]);
    expect(model.state.get()).toMatchObject({ values: { displayName: "Ada" }, wrong: {} });
  });
});

describe("writing", () => {
  it("sends only the newest of the values set during a write", async () => {
    const written: string[] = [];
    let release = () => {};
    const port: WidgetPort = {
      getProp: async () => null,
      setProp: (_, value) => {
        written.push(value);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    };
    const model = createWidgetModel(port, fields);
    await model.load();
    for (const color of ["#1", "#2", "#3"]) {
      model.set("textColor", color);
    }
    expect(written).toEqual(["#1"]);
    release();
    await settle();
    expect(written).toEqual(["#1", "#3"]);
  });

  it("reports a refusal of the editor until it accepts a write", async () => {
    const { host, model } = await ready();
    host.fault = new Error("refused");
    model.set("align", "end");
    await settle();
    expect(model.state.get()).toMatchObject({ status: "ready", unsent: true });
    host.fault = null;
    model.set("align", "center");
    await settle();
    expect(model.state.get()).toMatchObject({ unsent: false, values: { align: "center" } });
  });

  it("shows no selection when the selection is lost", async () => {
    const { host, model } = await ready();
    host.fault = unselected;
    model.set("align", "end");
    await settle();
    expect(model.state.get().status).toBe("no-selection");
  });

  it("resets every attribute to its default", async () => {
    const { host, model } = await ready({
      "display-name": "Ada",
      align: "end",
      font: '{"font":"16px Arial"}',
      "show-status": "false",
    });
    model.reset();
    await settle();
    expect(host.attributes).toMatchObject({
      "display-name": "",
      align: "start",
      font: "",
      "show-status": "true",
    });
    expect(model.state.get()).toMatchObject({ values: DEFAULTS });
  });

  it("announces a new version of the site's settings as text", async () => {
    const { host, model } = await ready();
    model.announceVersion(7);
    await settle();
    expect(host.written).toEqual([["settings-version", "7"]]);
  });
});

describe("the selection", () => {
  it("recovers when a widget is selected", async () => {
    const { host, model } = stage({ "display-name": "Ada" });
    host.fault = unselected;
    await model.load();
    host.fault = null;
    await model.selectionChanged([{ id: "w" }]);
    expect(model.state.get()).toMatchObject({ status: "ready", values: { displayName: "Ada" } });
  });

  it.each([[[]], [undefined], ["odd"]])("%j: nothing is selected", async (components) => {
    const { model } = await ready();
    await model.selectionChanged(components);
    expect(model.state.get().status).toBe("no-selection");
  });

  it("keeps the form when the same widget is selected again, with the values after an undo", async () => {
    const { host, model } = await ready({ align: "end" });
    await model.selectionChanged([{ id: "w" }]);
    const seen: string[] = [];
    model.state.subscribe(() => seen.push(model.state.get().status));
    host.attributes.align = "center";
    await model.selectionChanged([{ id: "w" }]);
    expect(seen).toEqual(["ready"]);
    expect(model.state.get()).toMatchObject({ values: { align: "center" } });
  });

  it("a read before the last change is discarded", async () => {
    const { model } = await ready();
    const late = model.load();
    await model.selectionChanged([]);
    await late;
    expect(model.state.get().status).toBe("no-selection");
  });
});

describe("refreshing", () => {
  it("does not overwrite what was typed since", async () => {
    const { model } = await ready({ "display-name": "old" });
    const refreshed = model.refresh();
    model.type("displayName", "new");
    await refreshed;
    expect(model.state.get()).toMatchObject({ values: { displayName: "new" } });
  });

  it("does nothing during a write", async () => {
    const { model } = await ready({ "display-name": "old" });
    model.type("displayName", "new");
    await model.refresh();
    expect(model.state.get()).toMatchObject({ values: { displayName: "new" } });
  });
});

describe("the code of an editor's error", () => {
  it.each([
    [unselected, "UndefinedCompRef"],
    [new Error("[EP Context Error]#IncorrectEnvironment: contexts"), "IncorrectEnvironment"],
    ["[Auth Strategy Error]#EmptyAppDefinitionId", "EmptyAppDefinitionId"],
    [new Error("plain"), null],
    [null, null],
    [undefined, null],
  ])("%s", (fault, code) => {
    expect(faultCode(fault)).toBe(code);
  });
});
