import { expect, test } from "vitest";
import { compose, type Fact, figures, masked, milliseconds } from "./timeline";

const origin = 1_700_000_000_000;
const token = "OauthNG.JWS.head.payload.signaturewxyz";

const opened: Fact = { kind: "opened", at: 100, copies: 1, newVisitor: true };
const tokenFact: Fact = { kind: "token", at: 110, token, newVisitor: true };
const ready: Fact = { kind: "state", at: 141, state: "ready" };
const request = (
  description: string,
  over: Partial<Extract<Fact, { kind: "request" }>> = {},
): Fact => ({
  kind: "request",
  at: 120,
  end: 140,
  url: "http://h/demo/api/get-instance",
  status: 200,
  bytes: 99,
  cached: false,
  metrics: [
    { name: "identify", description, duration: 12 },
    { name: "store", description: "", duration: 0.4 },
  ],
  ...over,
});
const call = (at: number, path = "/oauth2/token-info", method = "POST", status = 200): Fact => ({
  kind: "call",
  wall: origin + at,
  duration: 2,
  method,
  path,
  status,
});
const routes = (facts: Fact[]) => compose(facts, origin).map((s) => `${s.from}>${s.to}`);

test("there are no steps before a page was opened", () => {
  expect(compose([tokenFact, ready], origin)).toEqual([]);
});

test("a new visitor's load goes from the page to Wix and back, in the order of time", () => {
  // The browser reports a request after the widget has reported its state.
  const facts = [opened, tokenFact, ready, call(126), request("asked Wix")];
  expect(routes(facts)).toEqual([
    "page>page",
    "wix>page",
    "page>server",
    "server>wix",
    "server>store",
    "server>page",
    "page>page",
  ]);
});

test("times are relative to the opening of the page", () => {
  const steps = compose([opened, tokenFact, request("known"), ready], origin);
  expect(steps[0]?.at).toBe(0);
  expect(steps.at(-1)?.at).toBe(41);
});

test("a known token has a step of its own, and no arrow to Wix", () => {
  const steps = compose([opened, tokenFact, request("known"), ready], origin);
  expect(steps.some((s) => s.to === "wix")).toBe(false);
  expect(steps.some((s) => s.text.includes("Wix is not asked"))).toBe(true);
});

test("an answer from the browser's cache has no arrow out of the page", () => {
  const facts = [opened, tokenFact, request("asked Wix", { cached: true }), ready];
  expect(routes(facts)).toEqual(["page>page", "wix>page", "page>page", "page>page"]);
  expect(figures(facts)).toMatchObject({ requests: 0, asked: 0 });
});

test("the call to Wix comes from Server-Timing until the log has been read, and shows once", () => {
  const asks = (facts: Fact[]) => compose(facts, origin).filter((s) => s.to === "wix").length;
  expect(asks([opened, request("asked Wix")])).toBe(1);
  expect(asks([opened, request("asked Wix"), call(126)])).toBe(1);
});

test("with a wrong clock of the server its calls are still within the request", () => {
  for (const skew of [-3_600_000, 3_600_000]) {
    const steps = compose(
      [opened, request("asked Wix"), call(126 + skew), call(128 + skew, "/oauth2/token")],
      origin,
    );
    const at = steps.filter((s) => s.to === "wix").map((s) => s.at);
    expect(at).toEqual([21, 23]);
  }
});

test("a call with a time before its request comes after it", () => {
  const steps = compose([opened, request("asked Wix"), call(118)], origin);
  expect(steps.map((s) => s.to)).toEqual(["page", "server", "wix", "store", "page"]);
});

test("an unknown call is named by its path, and a failed one is bad", () => {
  const [, , step] = compose(
    [opened, request("asked Wix"), call(126, "/other", "GET", 503)],
    origin,
  );
  expect(step?.text).toContain("GET /other");
  expect(step?.kind).toBe("bad");
});

test("the same step of several copies at the same time shows once", () => {
  const facts: Fact[] = [opened, ready, { ...ready, at: 143 }, { ...ready, at: 150 }];
  expect(compose(facts, origin)).toHaveLength(2);
});

test("a later change of state shows again", () => {
  const facts: Fact[] = [opened, ready, { ...ready, at: 900 }];
  expect(compose(facts, origin)).toHaveLength(3);
});

test("idle and loading are no steps", () => {
  const facts: Fact[] = [
    opened,
    { kind: "state", at: 101, state: "idle" },
    { kind: "state", at: 102, state: "loading" },
  ];
  expect(compose(facts, origin)).toHaveLength(1);
});

test("a refusal has its status, and the widget's failure its code and request id", () => {
  const facts: Fact[] = [
    opened,
    request("asked Wix", { status: 401 }),
    { kind: "state", at: 142, state: "failed", code: "token_expired", requestId: "r-1" },
  ];
  const bad = compose(facts, origin).filter((s) => s.kind === "bad");
  expect(bad.map((s) => s.details.flat())).toEqual([
    expect.arrayContaining(["401"]),
    ["Request", "r-1"],
  ]);
  expect(bad[1]?.text).toContain("token_expired");
});

test("typing in the panel is one step that shows the last value", () => {
  const prop = (at: number, value: string): Fact => ({
    kind: "prop",
    at,
    name: "display-name",
    value,
  });
  const steps = compose([opened, prop(300, "A"), prop(500, "Ad"), prop(700, "Ada")], origin);
  expect(steps).toHaveLength(2);
  expect(steps[1]?.details).toEqual([["Value", "Ada"]]);
});

test("a save of the site’s settings is recognized by the version that the panel sets", () => {
  const steps = compose(
    [opened, { kind: "prop", at: 300, name: "settings-version", value: "2" }],
    origin,
  );
  expect(steps[1]?.text).toContain("settings are saved");
});

test("a token is never shown", () => {
  const facts: Fact[] = [
    opened,
    tokenFact,
    request("asked Wix"),
    { kind: "owner-token", at: 200, token },
  ];
  const steps = JSON.stringify(compose(facts, origin));
  expect(steps).toContain("…wxyz");
  expect(steps).not.toContain("signature");
});

test.each([
  ["", "…"],
  ["12345678", "…"],
  ["123456789", "…6789"],
])("the token %j is shown as %s", (text, shown) => {
  expect(masked(text)).toBe(shown);
});

test("the figures are those of the widget's own requests", () => {
  const panel: Fact = {
    kind: "panel-request",
    at: 400,
    end: 410,
    url: "http://h/api/settings",
    status: 200,
    metrics: [],
  };
  expect(figures([opened, tokenFact, request("asked Wix"), ready, panel])).toEqual({
    identifiedIn: 41,
    requests: 1,
    asked: 1,
  });
  expect(figures([opened, request("known"), ready]).asked).toBe(0);
  expect(figures([opened]).identifiedIn).toBeNull();
});

test.each([
  [0.021, "0.02 ms"],
  [-1, "0.00 ms"],
  [1.25, "1.3 ms"],
  [12.4, "12 ms"],
])("%d is written as %s", (ms, text) => {
  expect(milliseconds(ms)).toBe(text);
});
