// The element without a layout: attributes, sharing, events, announcements. The
// end-to-end tests look at it in a browser.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nametagElement, type StateDetail } from "./element";
import { createPage } from "./page";
import { tag as widgetTag } from "./tag";

const script = "https://a.example/widget.js";
const success = {
  status: "Success",
  settings: { greeting: "Welcome" },
  instance: { siteDisplayName: "Lantern" },
};

type Copy = HTMLElement & { accessTokenListener(fn: unknown): void };

let tags = 0;
let tag: string;
let requests: string[];
let answers: (() => Response)[];
let observers: { seen(): void; target?: Element }[];

beforeEach(() => {
  tag = `nametag-${++tags}`;
  requests = [];
  answers = [];
  observers = [];
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
  vi.stubGlobal("fetch", async (url: URL) => {
    requests.push(String(url));
    return (answers.shift() ?? (() => Response.json(success)))();
  });
  customElements.define(tag, nametagElement(createPage(script)));
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

function add(attributes: Record<string, string> = {}): Copy {
  const copy = document.createElement(tag) as Copy;
  for (const [name, value] of Object.entries(attributes)) {
    copy.setAttribute(name, value);
  }
  document.body.append(copy);
  return copy;
}

function part(copy: Copy, name: string): HTMLElement {
  return copy.shadowRoot?.querySelector(`[part="${name}"]`) as HTMLElement;
}

const scrollToAll = () => {
  for (const observer of [...observers]) {
    observer.seen();
  }
};
const title = (copy: Copy) => part(copy, "title").textContent;
const message = (copy: Copy) => part(copy, "message").textContent;
const titled = (copy: Copy, text: string) => vi.waitFor(() => expect(title(copy)).toBe(text));
const failure =
  (status: number, code: string, headers = {}) =>
  () =>
    Response.json({ error: "x", code, requestId: "r1" }, { status, headers });

function record(): StateDetail[] {
  const details: StateDetail[] = [];
  const listener = (event: Event) => details.push((event as CustomEvent<StateDetail>).detail);
  document.body.addEventListener("nametag-state", listener);
  return details;
}

describe("without a token", () => {
  test("it shows its attributes, sends nothing, and says so", () => {
    const copy = add({ "display-name": "Ada" });
    scrollToAll();
    expect(title(copy)).toBe("Hello Ada");
    expect(message(copy)).toBe("Not connected yet");
    expect(part(copy, "retry").hidden).toBe(true);
    expect(requests).toEqual([]);
  });

  test("it follows a change at once", () => {
    const copy = add();
    expect(title(copy)).toBe("Hello friend");
    copy.setAttribute("display-name", "Ada");
    expect(title(copy)).toBe("Hello Ada");
    copy.setAttribute("show-status", "false");
    expect(part(copy, "status").hidden).toBe(true);
    copy.removeAttribute("display-name");
    copy.removeAttribute("show-status");
    expect(title(copy)).toBe("Hello friend");
    expect(part(copy, "status").hidden).toBe(false);
  });

  test("markup in an attribute stays text", () => {
    const copy = add({ "display-name": "<img src=x onerror=alert(1)>" });
    expect(part(copy, "name").children).toHaveLength(0);
    expect(title(copy)).toBe("Hello <img src=x onerror=alert(1)>");
  });

  test("attributes that are set before it is connected are used", () => {
    const copy = document.createElement(tag) as Copy;
    copy.setAttribute("display-name", "Ada");
    expect(() => copy.setAttribute("settings-version", "1")).not.toThrow();
    document.body.append(copy);
    expect(title(copy)).toBe("Hello Ada");
  });

  test.each([
    ["font", '{"font":'],
    ["font", "null"],
    ["align", "sideways"],
    ["align", ""],
    ["text-color", "url(javascript:alert(1))"],
    ["background-color", "}; color: red"],
    ["api-base", "javascript:alert(1)"],
    ["settings-version", "\ud800"],
    ["show-status", "\0"],
  ])("a bad attribute does not stop it: %s=%j", (name, value) => {
    const copy = add({ "display-name": "Ada", [name]: value });
    expect(title(copy)).toBe("Hello Ada");
    copy.setAttribute(name, `${value} `);
    expect(title(copy)).toBe("Hello Ada");
  });

  test.each([null, undefined, "token", {}])("a listener called with %j keeps waiting", (given) => {
    const copy = add();
    scrollToAll();
    copy.accessTokenListener(given);
    expect(message(copy)).toBe("Not connected yet");
  });
});

describe("three copies", () => {
  test("make one request and all show the answer", async () => {
    const copies = ["Ada", "Grace", "Mary"].map((name) => add({ "display-name": name }));
    for (const copy of copies) {
      copy.accessTokenListener(() => "token");
    }
    scrollToAll();
    await titled(copies[2] as Copy, "Welcome Mary");
    expect(copies.map(title)).toEqual(["Welcome Ada", "Welcome Grace", "Welcome Mary"]);
    expect(copies.map(message)).toEqual(Array(3).fill("Connected to Lantern"));
    expect(requests).toEqual(["https://a.example/api/get-instance"]);
  });

  test("use the first token function only", async () => {
    const [first, second] = [vi.fn(() => "a"), vi.fn(() => "b")];
    const [a, b] = [add(), add()];
    b.accessTokenListener(first);
    a.accessTokenListener(second);
    scrollToAll();
    await titled(a, "Welcome friend");
    expect(first).toHaveBeenCalledOnce();
    expect(second).not.toHaveBeenCalled();
  });

  test("one settings-version starts one refresh for all", async () => {
    const copies = [add(), add(), add()] as const;
    copies[0].accessTokenListener(() => "token");
    scrollToAll();
    await titled(copies[2], "Welcome friend");
    answers.push(() => Response.json({ ...success, settings: { greeting: "Ahoy" } }));
    for (const copy of copies) {
      copy.setAttribute("settings-version", "2");
    }
    await titled(copies[2], "Ahoy friend");
    expect(copies.map(title)).toEqual(Array(3).fill("Ahoy friend"));
    expect(requests.slice(1)).toEqual(["https://a.example/api/get-instance?v=2"]);
    copies[1].setAttribute("settings-version", "2");
    expect(requests).toHaveLength(2);
  });

  test("one of them announces for all", () => {
    const copies = [add({ "show-status": "false" }), add(), add()];
    const live = () => copies.map((copy) => part(copy, "message").getAttribute("aria-live"));
    expect(live()).toEqual(["off", "polite", "off"]);
  });

  test("another announces when that one is removed", async () => {
    const [a, b] = [add(), add()];
    a.remove();
    await vi.waitFor(() => expect(part(b, "message").getAttribute("aria-live")).toBe("polite"));
  });

  test("with different servers ask each of them", async () => {
    const copies = [add(), add({ "api-base": "https://b.example/x" })] as const;
    copies[0].accessTokenListener(() => "token");
    scrollToAll();
    await titled(copies[1], "Welcome friend");
    expect(requests.sort()).toEqual([
      "https://a.example/api/get-instance",
      "https://b.example/x/get-instance",
    ]);
  });
});

describe("when it asks", () => {
  test("not before it is near the viewport", async () => {
    const copy = add();
    copy.accessTokenListener(() => "token");
    await Promise.resolve();
    expect(requests).toEqual([]);
    scrollToAll();
    await titled(copy, "Welcome friend");
  });

  test("a listener called before it is connected, and unbound, is used", async () => {
    const copy = document.createElement(tag) as Copy;
    const { accessTokenListener } = copy;
    accessTokenListener(async () => "token");
    document.body.append(copy);
    scrollToAll();
    await titled(copy, "Welcome friend");
  });

  test("a new api-base is asked instead of the old one", async () => {
    const copy = add({ "api-base": "https://b.example/" });
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await titled(copy, "Welcome friend");
    copy.setAttribute("api-base", "https://c.example/");
    expect(title(copy)).toBe("Hello friend");
    await titled(copy, "Welcome friend");
    expect(requests[1]).toBe("https://c.example/get-instance");
  });

  test("a move within the page is not a removal", async () => {
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    const box = document.createElement("div");
    document.body.append(box);
    box.append(copy);
    await titled(copy, "Welcome friend");
    expect(requests).toHaveLength(1);
  });

  test("removed and added again it shows the answer without a request", async () => {
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await titled(copy, "Welcome friend");
    copy.remove();
    await Promise.resolve();
    document.body.append(copy);
    scrollToAll();
    expect(title(copy)).toBe("Welcome friend");
    expect(requests).toHaveLength(1);
  });
});

describe("failure", () => {
  test("shows a retry that works", async () => {
    answers.push(failure(502, "wix_bad_response"));
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe("Can’t connect"));
    const retry = part(copy, "retry") as HTMLButtonElement;
    expect([retry.hidden, retry.disabled, retry.textContent]).toEqual([false, false, "Retry"]);
    expect(title(copy)).toBe("Hello friend");
    retry.click();
    await titled(copy, "Welcome friend");
    expect(retry.hidden).toBe(true);
  });

  test("with a Retry-After disables the retry until then", async () => {
    answers.push(failure(503, "wix_unavailable", { "Retry-After": "30" }));
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe("Busy for 30 s"));
    expect((part(copy, "retry") as HTMLButtonElement).disabled).toBe(true);
  });

  test("the console stays silent", async () => {
    const silent = (["error", "warn", "log"] as const).map((level) => vi.spyOn(console, level));
    answers.push(failure(500, "internal"));
    const copy = add({ font: "{" });
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe("Can’t connect"));
    for (const spy of silent) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe("on success", () => {
  test.each([
    ["a site without a name", { ...success, instance: {} }, "Welcome friend", "Connected"],
    ["no site", { status: "No instance ID." }, "Hello friend", "Not linked to a site"],
  ])("%s", async (_, body, wantTitle, wantMessage) => {
    answers.push(() => Response.json(body));
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe(wantMessage));
    expect(title(copy)).toBe(wantTitle);
  });
});

describe("nametag-state", () => {
  test("reports each change once, with code and request id", async () => {
    const details = record();
    answers.push(failure(403, "token_foreign"));
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe("Can’t connect"));
    copy.setAttribute("display-name", "Ada");
    part(copy, "retry").click();
    await titled(copy, "Welcome Ada");
    expect(details).toEqual([
      { state: "idle" },
      { state: "loading" },
      { state: "failed", code: "token_foreign", requestId: "r1" },
      { state: "loading" },
      { state: "ready" },
    ]);
  });

  test("is silent while it is not on the page", () => {
    const copy = document.createElement(tag);
    const listener = vi.fn();
    copy.addEventListener("nametag-state", listener);
    copy.setAttribute("display-name", "Ada");
    expect(listener).not.toHaveBeenCalled();
    document.body.append(copy);
    expect(listener).toHaveBeenCalledOnce();
  });

  test("crosses shadow boundaries", () => {
    const host = document.createElement("div");
    const outer = host.attachShadow({ mode: "open" });
    document.body.append(host);
    const details = record();
    outer.append(document.createElement(tag));
    expect(details).toEqual([{ state: "idle" }]);
  });
});

test("the script may be on the page twice", async () => {
  vi.resetModules();
  await import("./widget");
  const first = customElements.get(widgetTag);
  expect(first).toBeDefined();
  vi.resetModules();
  await import("./widget");
  expect(customElements.get(widgetTag)).toBe(first);
});
