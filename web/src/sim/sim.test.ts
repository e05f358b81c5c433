import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Control, Refusal } from "../control";
import { effectOf, faultOf } from "./faults";
import { countOf, found } from "./feedview";
import { Live } from "./live";
import { Names } from "./names";
import { showFault } from "./parts";
import { placeOf, tabAfter } from "./tabs";
import { tokenRequest } from "./tokens";
import { changedFields, type Delivery, fieldsOf, newer, nextTry } from "./webhooks";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

const site = "0f3c1a5e-9d1b-4b0e-8a68-3f8f3f6b1c22";

test.each([
  ["", "sites", ""],
  ["#calls", "calls", ""],
  [`#calls/${site}`, "calls", site],
  ["#calls/no-id", "calls", ""],
  ["#nothing", "sites", ""],
])("the fragment %j", (fragment, tab, instance) => {
  expect(placeOf(fragment, ["sites", "calls"])).toEqual({ tab, instance });
});

test.each([
  ["ArrowRight", 0, 1],
  ["ArrowRight", 2, 0],
  ["ArrowLeft", 0, 2],
  ["Home", 2, 0],
  ["End", 0, 2],
  ["Enter", 1, null],
])("%s on tab %d of three", (key, at, to) => {
  expect(tabAfter(key, at, 3)).toBe(to);
});

test.each([
  ["", true],
  ["post 503", true],
  ["TOKEN-INFO", true],
  ["get", false],
  ["post 200", false],
])("a search for %j", (search, is) => {
  expect(found("POST /oauth2/token-info 503", search)).toBe(is);
});

test.each([
  [0, 0, "0 calls"],
  [1, 1, "1 call"],
  [2, 9, "2 of 9 calls"],
  [500, 500, "The latest 500 calls"],
])("%d items of %d", (shown, all, text) => {
  expect(countOf(shown, all, "calls")).toBe(text);
});

const attempt = (at: string, status?: number) => ({ at, status, durationMs: 500 });
const delivery = (change: Partial<Delivery>): Delivery => ({
  id: 1,
  eventType: "X",
  instanceId: site,
  url: "http://app",
  at: "2026-12-01T09:00:00Z",
  state: "pending",
  attempts: [],
  ...change,
});

test("a state of a delivery that comes late does not replace a newer one", () => {
  const waiting = delivery({});
  const refused = delivery({ attempts: [attempt("2026-12-01T09:00:00Z", 500)] });
  const done = delivery({ ...refused, state: "delivered" });
  expect(newer(waiting, refused)).toBe(refused);
  expect(newer(refused, waiting)).toBe(refused);
  expect(newer(refused, done)).toBe(done);
  expect(newer(done, refused)).toBe(done);
});

test.each<[string, Partial<Delivery>, string]>([
  ["not tried yet", {}, ""],
  [
    "refused twice",
    { attempts: [attempt("2026-12-01T09:00:00Z"), attempt("2026-12-01T09:01:00Z")] },
    "2026-12-01T09:11:00.500Z",
  ],
  ["delivered", { state: "delivered", attempts: [attempt("2026-12-01T09:00:00Z", 200)] }, ""],
  ["failed", { state: "failed", attempts: [attempt("2026-12-01T09:00:00Z", 500)] }, ""],
])("the next try of a delivery: %s", (_name, change, at) => {
  expect(nextTry(delivery(change), [60_000, 600_000])).toBe(at);
});

test("the fields of an event are in the innermost layer", () => {
  expect(fieldsOf({ exp: 1, data: { eventType: "X", data: { plan: "gold" } } })).toEqual({
    plan: "gold",
  });
  expect(fieldsOf({ data: { data: "text" } })).toEqual({ data: "text" });
  expect(fieldsOf(undefined)).toEqual({});
});

test("a change of fields has what is new, different or gone", () => {
  const before = { same: { a: [1] }, different: 1, gone: "x" };
  const after = { same: { a: [1] }, different: 2, fresh: false };
  expect(changedFields(before, after)).toEqual({ different: 2, gone: null, fresh: false });
  expect(changedFields(before, before)).toEqual({});
});

test.each([
  ["good", { instanceId: site, ttl: "1h" }],
  ["expired", { instanceId: site, ttl: "-1m" }],
  ["revoked", { instanceId: site, ttl: "1h", active: false }],
  ["foreign", { instanceId: site, ttl: "1h", appId: expect.any(String) }],
  ["none", { ttl: "1h", noInstance: true }],
])("the request for a token that is %s", (kind, want) => {
  const form = { subject: "USER", instanceId: site, kind, ttl: "1h" };
  expect(tokenRequest(form)).toEqual({ subject: "USER", ...want });
});

test("what is left empty in a request for a token is left out", () => {
  expect(tokenRequest({ subject: "APP", instanceId: "", kind: "good", ttl: "" })).toEqual({
    subject: "APP",
  });
});

test("a fault has what its form has, with numbers as numbers", () => {
  const form = new FormData();
  for (const [name, value] of [
    ["endpoint", "token"],
    ["status", "503"],
    ["latency", " 2s "],
    ["retryAfter", ""],
    ["count", "3"],
    ["hangUp", "on"],
  ] as const) {
    form.append(name, value);
  }
  const fault = faultOf(form);
  expect(fault).toEqual({ endpoint: "token", status: 503, latency: "2s", count: 3, hangUp: true });
  expect(effectOf(fault)).toBe("503, 2s late, hangs up within the answer");
  expect(effectOf({ endpoint: "*", outage: true })).toBe("no answer");
});

test("a refusal is shown at its field, and without one at the end of the form", () => {
  document.body.innerHTML = `<form id="f"><label>Status <input name="status"></label>
    <label>Late by <input name="latency"></label><p class="field-fault"></p></form>`;
  const form = document.querySelector("form") as HTMLFormElement;
  const [status] = form.querySelectorAll("input");
  const place = form.querySelector(".field-fault") as HTMLElement;
  showFault(form, new Refusal("status must be 200 to 599", 422, "status"));
  expect(place.textContent).toBe("Status must be 200 to 599.");
  expect(place.previousElementSibling).toBe(status?.parentElement);
  expect(status?.getAttribute("aria-describedby")).toBe(place.id);
  expect(document.activeElement).toBe(status);
  showFault(form, new Error("no connection"));
  expect(place.textContent).toBe("No connection.");
  expect(form.querySelector("[aria-invalid]")).toBeNull();
});

test("the control API's refusals name their field", async () => {
  const answers = [
    Response.json({ error: "count must not be negative", field: "count" }, { status: 422 }),
    new Response("bad gateway", { status: 502 }),
    new Response(null, { status: 204 }),
    new Response("", { status: 201 }),
    Response.json({ ids: [1] }, { status: 202 }),
  ];
  vi.stubGlobal("fetch", async () => answers.shift());
  const wix = new Control("_sim/");
  await expect(wix.ask("PUT", "faults", {})).rejects.toMatchObject({
    message: "count must not be negative",
    field: "count",
    status: 422,
  });
  await expect(wix.ask("GET", "faults")).rejects.toMatchObject({
    message: "the offline Wix answered with status 502",
    field: "",
  });
  expect(await wix.ask("DELETE", "faults")).toBeNull();
  expect(await wix.ask("POST", "x")).toBeNull();
  expect(await wix.ask("POST", "x")).toEqual({ ids: [1] });
});

/** The installations of a control API. Returns what was asked of it. */
function installations(sites: { instanceId: string; siteDisplayName: string }[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    const { searchParams } = new URL(url, "http://wix");
    const after = searchParams.get("after");
    const at = after ? sites.findIndex((s) => s.instanceId === after) : -1;
    return after && at < 0
      ? Response.json({ error: "not installed" }, { status: 404 })
      : Response.json(sites.slice(at + 1, at + 1 + Number(searchParams.get("limit"))));
  });
  return asked;
}

const named = (n: number) => ({ instanceId: `id-${n}`, siteDisplayName: `Site ${n}` });

test("the names of sites are read once for many ids, a thousand at a time", async () => {
  const asked = installations(Array.from({ length: 1500 }, (_, n) => named(n)));
  const changed = vi.fn();
  const names = new Names(new Control(""), changed);
  expect([names.of("id-3"), names.of("ID-1499"), names.of("id-3")]).toEqual([
    "id-3",
    "ID-1499",
    "id-3",
  ]);
  await vi.runAllTimersAsync();
  expect(asked).toEqual(["installs?limit=1000", "installs?limit=1000&after=id-999"]);
  expect(changed).toHaveBeenCalledTimes(1);
  expect([names.of("id-3"), names.of("ID-1499")]).toEqual(["Site 3", "Site 1499"]);
  names.of("unknown-to-all");
  names.of("unknown-to-all");
  await vi.runAllTimersAsync();
  names.of("unknown-to-all");
  await vi.runAllTimersAsync();
  expect(asked).toHaveLength(3);
});

test("the names are read from the start when the newest site has gone", async () => {
  const sites = [named(1), named(2)];
  installations(sites);
  const names = new Names(new Control(""), () => undefined);
  names.of("id-2");
  await vi.runAllTimersAsync();
  sites.splice(1, 1, named(3));
  names.of("id-3");
  await vi.runAllTimersAsync();
  expect(names.of("id-3")).toBe("Site 3");
});

class Source extends EventTarget {
  static all: Source[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }

  close(): void {
    this.closed = true;
  }
}

function live() {
  Source.all = [];
  vi.stubGlobal("EventSource", Source);
  const seen: string[] = [];
  const connection = new Live("events", {
    event: (name, data) => seen.push(`${name} ${JSON.stringify(data)}`),
    reload: () => seen.push("reload"),
    state: (state) => seen.push(state),
  });
  connection.start();
  return { connection, seen, source: () => Source.all.at(-1) as Source };
}

test("a connection reads everything when it opens, and passes its events on", () => {
  const { seen, source } = live();
  source().onopen?.();
  source().dispatchEvent(new MessageEvent("call", { data: '{"id":1}' }));
  source().dispatchEvent(new MessageEvent("lost", { data: '{"count":9}' }));
  source().dispatchEvent(new MessageEvent("other", { data: "{}" }));
  expect(seen).toEqual(["connecting", "live", "reload", 'call {"id":1}', "reload"]);
});

test("a connection that ends comes back, and reads everything again", () => {
  const { seen, source } = live();
  source().onopen?.();
  const first = source();
  first.onerror?.();
  expect(first.closed).toBe(true);
  vi.advanceTimersByTime(1000);
  source().onerror?.();
  vi.advanceTimersByTime(1000);
  source().onopen?.();
  expect(Source.all).toHaveLength(3);
  expect(seen).toEqual([
    "connecting",
    "live",
    "reload",
    "reconnecting",
    "reconnecting",
    "reconnecting",
    "reconnecting",
    "live",
    "reload",
  ]);
});

test("without events everything is read once, and the connection is tried again", () => {
  const { seen, source } = live();
  source().onerror?.();
  vi.advanceTimersByTime(1000);
  source().onerror?.();
  expect(seen.filter((entry) => entry === "reload")).toHaveLength(1);
});

test("a connection that rests is closed, and is not tried again", () => {
  const { connection, seen, source } = live();
  source().onerror?.();
  connection.rest();
  vi.advanceTimersByTime(60_000);
  expect(Source.all).toHaveLength(1);
  expect(source().closed).toBe(true);
  expect(seen.at(-1)).toBe("resting");
});
