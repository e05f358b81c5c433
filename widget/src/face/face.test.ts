// The name tag in its frame, without a layout: attributes, texts, announcements. The
// end-to-end tests look at it in a browser.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { id } from "../../../app.json";
import { widgetElement } from "../frame/element";
import { createPage } from "../frame/page";
import { css } from "./face";

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
  tag = `name-tag-${++tags}`;
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
  vi.stubGlobal("fetch", async (url: string) => {
    requests.push(url);
    return (answers.shift() ?? (() => Response.json(success)))();
  });
  customElements.define(tag, widgetElement(createPage(script)));
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

describe("without a token", () => {
  test("on a page it says so, and in the editor's frame it shows a sample", () => {
    const copy = add();
    expect(message(copy)).toBe("Not connected");
    vi.stubGlobal("top", {});
    copy.setAttribute("display-name", "Ada");
    expect(title(copy)).toBe("Hello Ada");
    expect(message(copy)).toBe("Connects when published");
  });

  test("it shows its attributes, and sends nothing", () => {
    const copy = add({ "display-name": "Ada" });
    scrollToAll();
    expect(title(copy)).toBe("Hello Ada");
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
});

describe("announcing", () => {
  const live = (copies: Copy[]) =>
    copies.map((copy) => part(copy, "message").getAttribute("aria-live"));

  test("is done by one copy that shows its status", () => {
    const copies = [add({ "show-status": "false" }), add(), add()];
    expect(live(copies)).toEqual(["off", "polite", "off"]);
  });

  test("passes to another when that one is removed, or hides its status", async () => {
    const [a, b, c] = [add(), add(), add()];
    a.remove();
    await vi.waitFor(() => expect(live([b, c])).toEqual(["polite", "off"]));
    b.setAttribute("show-status", "false");
    expect(live([b, c])).toEqual(["off", "polite"]);
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

  test("gives the focus of a retry that is hidden to the status", async () => {
    answers.push(failure(502, "wix_bad_response"));
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe("Can’t connect"));
    part(copy, "retry").focus();
    part(copy, "retry").click();
    expect(copy.shadowRoot?.activeElement).toBe(part(copy, "message"));
  });

  test("with a Retry-After disables the retry until then", async () => {
    answers.push(failure(503, "wix_unavailable", { "Retry-After": "30" }));
    const copy = add();
    copy.accessTokenListener(() => "token");
    scrollToAll();
    await vi.waitFor(() => expect(message(copy)).toBe("Busy for 30 s"));
    expect((part(copy, "retry") as HTMLButtonElement).disabled).toBe(true);
  });
});

describe("on success", () => {
  test.each([
    ["a site with a name", success, "Welcome friend", "Connected to Lantern"],
    [
      "fields of the wrong type",
      { status: "Success", settings: { greeting: 7 }, instance: { siteDisplayName: {} } },
      "Hello friend",
      "Connected",
    ],
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

test("each name that is empty, or spaces, is the default", () => {
  expect(title(add({ "display-name": " \n " }))).toBe("Hello friend");
});

test.each(["color", "background", "font", "radius", "border", "shadow"])(
  "the custom property %s has the app's id",
  (name) => expect(css).toContain(`var(--${id}-${name}`),
);
