// The element without a layout: sharing, when it asks, events, announcing, and faces that
// throw. Its face and settings are the tests' own. The end-to-end tests look at the shipped
// one in a browser.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { widgetElement } from "./element";
import { text } from "./kinds";
import { createPage } from "./page";
import type { Frame, StateDetail, View } from "./types";

const shown = vi.hoisted(() => ({
  /** What the face is given, by the copy's name. */
  frames: {} as Record<string, Frame>,
  views: {} as Record<string, View[]>,
  make: (_name: string) => {},
  show: (_name: string, _view: View): boolean | undefined => undefined,
}));

vi.mock("../../../app.json", () => ({ id: "badge" }));
vi.mock("../settings.gen", () => ({
  widgetAttributes: ["name"],
  readWidget: (attribute: (name: string) => unknown) => ({ name: text(attribute("name"), "none") }),
  readSite: (values?: Record<string, unknown>) => ({ greeting: text(values?.greeting, "Hello") }),
}));
vi.mock("../face/face", () => ({
  css: "p { color: red }",
  face: (root: ShadowRoot, frame: Frame) => {
    const name = root.host.id;
    const line = document.createElement("p");
    root.append(line);
    shown.frames[name] = frame;
    shown.make(name);
    return (view: View) => {
      const { widget, site } = view as unknown as {
        widget: { name: string };
        site: { greeting: string };
      };
      shown.views[name] = [...(shown.views[name] ?? []), view];
      const result = shown.show(name, view);
      line.textContent = `${site.greeting} ${widget.name}`;
      return result;
    };
  },
}));

const script = "https://a.example/widget.js";
const success = { status: "Success", settings: { greeting: "Welcome" }, average: 4.5 };

type Copy = HTMLElement & { accessTokenListener(fn: unknown): void };

let tags = 0;
let tag: string;
let requests: string[];
let answers: (() => Response)[];
let signals: AbortSignal[];
let observers: { seen(): void; target?: Element }[];

beforeEach(() => {
  tag = `badge-${++tags}`;
  requests = [];
  answers = [];
  signals = [];
  observers = [];
  Object.assign(shown, { frames: {}, views: {}, make() {}, show() {} });
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      target?: Element;
      constructor(private notify: (entries: { isIntersecting: boolean }[]) => void) {
        observers.push(this);
      }
      observe(target: Element) {
        this.target = target;
        this.notify([{ isIntersecting: false }]);
      }
      disconnect() {
        this.target = undefined;
      }
      seen() {
        if (this.target) {
          this.notify([{ isIntersecting: true }]);
        }
      }
    },
  );
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    init.signal?.throwIfAborted();
    requests.push(url);
    signals.push(init.signal as AbortSignal);
    return (answers.shift() ?? (() => Response.json(success)))();
  });
  customElements.define(
    tag,
    widgetElement(createPage(script, ["https://b.example", "https://c.example"])),
  );
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function make(attributes: Record<string, string> = {}): Copy {
  const copy = document.createElement(tag) as Copy;
  for (const [name, value] of Object.entries(attributes)) {
    copy.setAttribute(name, value);
  }
  return copy;
}

function add(attributes: Record<string, string> = {}): Copy {
  const copy = make(attributes);
  document.body.append(copy);
  return copy;
}

const scrollToAll = () => {
  for (const observer of [...observers]) {
    observer.seen();
  }
};
const line = (copy: Copy) => copy.shadowRoot?.querySelector("p")?.textContent;
const reads = (copy: Copy, text: string) => vi.waitFor(() => expect(line(copy)).toBe(text));
const last = (name: string) => shown.views[name]?.at(-1) as View;
const failure =
  (status: number, code: string, headers = {}) =>
  () =>
    Response.json({ error: "x", code, requestId: "r1" }, { status, headers });

function record(): StateDetail[] {
  const details: StateDetail[] = [];
  const listener = (event: Event) => details.push((event as CustomEvent<StateDetail>).detail);
  document.body.addEventListener("badge-state", listener);
  return details;
}

describe("without a token", () => {
  test("it shows its settings, and sends nothing", () => {
    const copy = add({ id: "a", name: "Ada" });
    scrollToAll();
    expect(line(copy)).toBe("Hello Ada");
    expect(last("a")).toMatchObject({ state: "idle", announces: true });
    expect(last("a").answer).toBeUndefined();
    expect(requests).toEqual([]);
  });

  test("it follows a change of an attribute at once", () => {
    const copy = add();
    expect(line(copy)).toBe("Hello none");
    copy.setAttribute("name", "Ada");
    expect(line(copy)).toBe("Hello Ada");
    copy.removeAttribute("name");
    expect(line(copy)).toBe("Hello none");
  });

  test("it observes the settings' attributes and its own", () => {
    const { observedAttributes } = customElements.get(tag) as unknown as Record<string, string[]>;
    expect(observedAttributes).toEqual(["name", "settings-version", "api-base"]);
  });

  test("attributes that are set before it is connected are used", () => {
    const copy = make({ name: "Ada" });
    expect(() => copy.setAttribute("settings-version", "1")).not.toThrow();
    expect(copy.shadowRoot?.childElementCount).toBe(0);
    document.body.append(copy);
    expect(line(copy)).toBe("Hello Ada");
  });

  test.each([
    ["api-base", "javascript:alert(1)"],
    ["settings-version", "\ud800"],
  ])("a bad attribute does not stop it: %s=%j", (name, value) => {
    const copy = add({ name: "Ada", [name]: value });
    expect(line(copy)).toBe("Hello Ada");
    copy.setAttribute(name, `${value} `);
    expect(line(copy)).toBe("Hello Ada");
  });

  test.each([null, undefined, "token", {}])("a listener called with %j keeps waiting", (given) => {
    const copy = add({ id: "a" });
    scrollToAll();
    copy.accessTokenListener(given);
    expect(last("a").state).toBe("idle");
  });
});

describe("three copies", () => {
  test("make one request, and all show the answer", async () => {
    const copies = ["Ada", "Grace", "Mary"].map((name) => add({ id: name, name }));
    for (const copy of copies) {
      copy.accessTokenListener(() => "token");
    }
    scrollToAll();
    await reads(copies[2] as Copy, "Welcome Mary");
    expect(copies.map(line)).toEqual(["Welcome Ada", "Welcome Grace", "Welcome Mary"]);
    expect(requests).toEqual(["https://a.example/api/get-instance"]);
    for (const name of ["Ada", "Grace", "Mary"]) {
      expect(last(name)).toMatchObject({ state: "ready", answer: success });
    }
  });

  test("use the first token function only", async () => {
    const [first, second] = [vi.fn(() => "a"), vi.fn(() => "b")];
    const [a, b] = [add(), add()];
    b.accessTokenListener(first);
    a.accessTokenListener(second);
    scrollToAll();
    await reads(a, "Welcome none");
    expect(first).toHaveBeenCalledOnce();
    expect(second).not.toHaveBeenCalled();
  });

  test("one settings-version starts one refresh for all", async () => {
    const copies = [add(), add(), add()] as const;
    copies[0].accessTokenListener(() => "token");
    scrollToAll();
    await reads(copies[2], "Welcome none");
    answers.push(() => Response.json({ ...success, settings: { greeting: "Ahoy" } }));
    for (const copy of copies) {
      copy.setAttribute("settings-version", "2");
    }
    await reads(copies[2], "Ahoy none");
    expect(copies.map(line)).toEqual(Array(3).fill("Ahoy none"));
    expect(requests.slice(1)).toEqual(["https://a.example/api/get-instance?v=2"]);
    copies[1].setAttribute("settings-version", "2");
    expect(requests).toHaveLength(2);
  });

  test("with different servers ask each of them", async () => {
    const copies = [add(), add({ "api-base": "https://b.example/x" })] as const;
    copies[0].accessTokenListener(() => "token");
    scrollToAll();
    await reads(copies[1], "Welcome none");
    expect(requests.sort()).toEqual([
      "https://a.example/api/get-instance",
      "https://b.example/x/get-instance",
    ]);
  });
});

describe("announcing", () => {
  const announcing = () =>
    ["a", "b", "c"].filter((name) => shown.views[name] && last(name).announces);

  test("is done by one copy for all", () => {
    for (const id of ["a", "b", "c"]) {
      add({ id });
    }
    expect(announcing()).toEqual(["a"]);
  });

  test("passes to another when that one is removed", async () => {
    const [a] = [add({ id: "a" }), add({ id: "b" })];
    a.remove();
    await vi.waitFor(() => expect(last("b").announces).toBe(true));
  });

  test("passes by a copy whose face has nothing to announce, and comes back to it", () => {
    shown.show = (_, view) => (view.widget as unknown as { name: string }).name !== "silent";
    const [a] = [add({ id: "a", name: "silent" }), add({ id: "b" }), add({ id: "c" })];
    expect(announcing()).toEqual(["b"]);
    a.setAttribute("name", "Ada");
    expect(announcing()).toEqual(["a"]);
    a.setAttribute("name", "silent");
    expect(announcing()).toEqual(["b"]);
  });
});

describe("when it asks", () => {
  test("not before it is near the viewport", async () => {
    const copy = add();
    copy.accessTokenListener(() => "token");
    await Promise.resolve();
    expect(requests).toEqual([]);
    scrollToAll();
    await reads(copy, "Welcome none");
  });

  test("a listener called before it is connected, and unbound, is used", async () => {
    const copy = make();
    const { accessTokenListener } = copy;
    accessTokenListener(async () => "token");
    document.body.append(copy);
    scrollToAll();
    await reads(copy, "Welcome none");
  });

  test("a new api-base is asked instead of the old one", async () => {
    const copy = add({ "api-base": "https://b.example/" });
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await reads(copy, "Welcome none");
    copy.setAttribute("api-base", "https://c.example/");
    expect(line(copy)).toBe("Hello none");
    await reads(copy, "Welcome none");
    expect(requests[1]).toBe("https://c.example/get-instance");
  });

  test("a foreign api-base is refused: the token stays, and the developer sees why", async () => {
    const complained = vi.spyOn(console, "error").mockImplementation(() => {});
    const token = vi.fn(() => "token");
    const details = record();
    const copies = [
      add({ id: "a", "api-base": "https://evil.example/api/" }),
      add({ id: "b", "api-base": "//evil.example/" }),
    ] as const;
    copies[0].accessTokenListener(token);
    scrollToAll();
    const refused = { state: "failed", code: "api_base_refused" };
    await vi.waitFor(() => expect([last("a"), last("b")]).toMatchObject([refused, refused]));
    expect(details.at(-1)).toMatchObject(refused);
    expect(complained).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining("apiOrigins in app.json"),
    );
    shown.frames.a?.retry();
    expect(await shown.frames.a?.ask("reviews")).toEqual({ code: "api_base_refused" });
    expect(requests).toEqual([]);
    expect(token).not.toHaveBeenCalled();

    copies[0].removeAttribute("api-base");
    await reads(copies[0], "Welcome none");
    expect(line(copies[1])).toBe("Hello none");
    expect(requests).toEqual(["https://a.example/api/get-instance"]);
  });

  test("a move within the page is not a removal", async () => {
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    const box = document.createElement("div");
    document.body.append(box);
    box.append(copy);
    await reads(copy, "Welcome none");
    expect(requests).toHaveLength(1);
  });

  test("removed and added again it shows the answer without a request, in the face it has", async () => {
    const copy = add({ id: "a" });
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await reads(copy, "Welcome none");
    copy.remove();
    await Promise.resolve();
    document.body.append(copy);
    scrollToAll();
    expect(line(copy)).toBe("Welcome none");
    expect(copy.shadowRoot?.childElementCount).toBe(1);
    expect(requests).toHaveLength(1);
  });
});

describe("what a face can have done", () => {
  test("a retry asks again after a failure", async () => {
    answers.push(failure(502, "wix_bad_response"));
    const copy = add({ id: "a" });
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() =>
      expect(last("a")).toMatchObject({
        state: "failed",
        code: "wix_bad_response",
        requestId: "r1",
        wait: 0,
      }),
    );
    expect(line(copy)).toBe("Hello none");
    shown.frames.a?.retry();
    await reads(copy, "Welcome none");
  });

  test("a request of its own, then a refresh for all copies", async () => {
    const copies = [add({ id: "a" }), add({ id: "b" })] as const;
    copies[0].accessTokenListener(() => "token");
    scrollToAll();
    await reads(copies[1], "Welcome none");
    answers.push(
      () => Response.json({ stars: 5 }, { status: 201 }),
      () => Response.json({ ...success, average: 5 }),
    );
    const reply = await shown.frames.a?.ask("reviews", { method: "POST", body: { stars: 5 } });
    expect(reply).toMatchObject({ body: { stars: 5 } });
    expect(last("b").answer?.average).toBe(4.5);
    shown.frames.a?.refresh();
    expect(last("b")).toMatchObject({ state: "loading", answer: success });
    await vi.waitFor(() => expect(last("b").answer?.average).toBe(5));
    expect(requests.map((url) => url.replace("https://a.example/api/", ""))).toEqual([
      "get-instance",
      "reviews",
      "get-instance",
    ]);
  });

  test("its request is canceled when its copy is removed, and another copy's is not", async () => {
    const copies = [add({ id: "a" }), add({ id: "b" })] as const;
    copies[0].accessTokenListener(() => "token");
    answers.push(...Array(2).fill(() => new Promise(() => {})));
    shown.frames.a?.ask("reviews");
    shown.frames.b?.ask("reviews");
    await vi.waitFor(() => expect(signals).toHaveLength(2));
    copies[0].remove();
    await Promise.resolve();
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    expect(await shown.frames.a?.ask("reviews")).toEqual({ code: "network" });
    document.body.append(copies[0]);
    expect(await shown.frames.a?.ask("reviews")).toMatchObject({ body: success });
  });
});

describe("a face that throws", () => {
  const complaints = () => vi.spyOn(console, "error").mockImplementation(() => {});
  const broken = new Error("broken");

  test.each<[string, "make" | "show"]>([
    ["at the start", "make"],
    ["when it shows a view", "show"],
  ])("%s stops neither the page nor the other copies", async (_, when) => {
    const complained = complaints();
    shown[when] = (name: string) => {
      if (name === "a") {
        throw broken;
      }
      return undefined;
    };
    const details = record();
    const [, b] = [add({ id: "a" }), add({ id: "b" })];
    b.accessTokenListener(() => "token");
    scrollToAll();
    await reads(b, "Welcome none");
    expect(requests).toHaveLength(1);
    expect(details.filter(({ state }) => state === "ready")).toHaveLength(2);
    expect(complained.mock.calls).toEqual([[broken]]);
  });

  test("once shows the next view", () => {
    const complained = complaints();
    shown.show = (_, view) => {
      if ((view.widget as unknown as { name: string }).name === "bad") {
        throw broken;
      }
      return undefined;
    };
    const copy = add({ name: "Ada" });
    copy.setAttribute("name", "bad");
    expect(line(copy)).toBe("Hello Ada");
    copy.setAttribute("name", "Grace");
    expect(line(copy)).toBe("Hello Grace");
    expect(complained).toHaveBeenCalledOnce();
  });

  test("at the start is not made again", () => {
    complaints();
    shown.make = () => {
      throw broken;
    };
    const copy = add();
    copy.setAttribute("name", "Ada");
    expect(copy.shadowRoot?.childElementCount).toBe(1);
  });
});

test("a failure leaves the console silent", async () => {
  const silent = (["error", "warn", "log"] as const).map((level) => vi.spyOn(console, level));
  answers.push(failure(500, "internal"));
  const copy = add({ id: "a" });
  copy.accessTokenListener(() => "token");
  scrollToAll();
  await vi.waitFor(() => expect(last("a").state).toBe("failed"));
  for (const spy of silent) {
    expect(spy).not.toHaveBeenCalled();
  }
});

describe("the event", () => {
  test("reports each change once, with code and request id", async () => {
    const details = record();
    answers.push(failure(403, "token_foreign"));
    const copy = add({ id: "a" });
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(last("a").state).toBe("failed"));
    copy.setAttribute("name", "Ada");
    shown.frames.a?.retry();
    await reads(copy, "Welcome Ada");
    expect(details).toEqual([
      { state: "idle" },
      { state: "loading" },
      { state: "failed", code: "token_foreign", requestId: "r1" },
      { state: "loading" },
      { state: "ready" },
    ]);
  });

  test("is silent while it is not on the page", () => {
    const copy = make();
    const listener = vi.fn();
    copy.addEventListener("badge-state", listener);
    copy.setAttribute("name", "Ada");
    expect(listener).not.toHaveBeenCalled();
    document.body.append(copy);
    expect(listener).toHaveBeenCalledOnce();
  });

  test("crosses shadow boundaries", () => {
    const host = document.createElement("div");
    const outer = host.attachShadow({ mode: "open" });
    document.body.append(host);
    const details = record();
    outer.append(make());
    expect(details).toEqual([{ state: "idle" }]);
  });
});
