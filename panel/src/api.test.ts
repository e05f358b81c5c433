import { describe, expect, it } from "vitest";
import type { Session } from "./api";
import { createApi, Unreachable } from "./api";
import { Fault, kindOf } from "./fault";

const BASE = new URL("https://example.test/app/api/");
const NOW = Date.parse("2026-01-01T00:00:00Z");

interface Sent {
  url: string;
  init: RequestInit;
}

/** A server that sends these answers in order, and an editor that counts the requests for a new token. */
function serve(...answers: (Response | Error)[]) {
  const sent: Sent[] = [];
  let renewed = 0;
  const now: boolean[] = [];
  const answerTo =
    (leaving: boolean) =>
    async (url: string, init: RequestInit = {}) => {
      sent.push({ url, init });
      now.push(leaving);
      const answer = answers.shift();
      if (answer === undefined) {
        throw new Error("one request too many");
      }
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    };
  const session: Session = {
    fetch: answerTo(false),
    fetchNow: answerTo(true),
    renew: () => {
      renewed++;
    },
  };
  return { api: createApi(BASE, session, () => NOW), sent, now, renewed: () => renewed };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const fault = (status: number, code: string, headers?: Record<string, string>) =>
  json({ error: "A sentence.", code, requestId: "r-1" }, status, headers);
const caught = async (promise: Promise<unknown>) => {
  const thrown = await promise.then(
    () => new Error("it succeeded"),
    (reason) => reason,
  );
  if (!(thrown instanceof Fault)) {
    throw thrown;
  }
  return thrown;
};

describe("requests", () => {
  it("loads the settings from the api folder beside the panel", async () => {
    const { api, sent } = serve(json({ settings: { greeting: "Hi" }, version: 4 }));
    expect(await api.loadSettings()).toEqual({ settings: { greeting: "Hi" }, version: 4 });
    expect(sent[0]?.url).toBe("https://example.test/app/api/settings");
  });

  it("knows of a secret whether one is set", async () => {
    const { api } = serve(json({ settings: { a: 1 }, secrets: { key: true }, version: 4 }));
    expect((await api.loadSettings()).settings).toEqual({ a: 1, key: true });
  });

  it("saves what has changed, with the version that it replaces", async () => {
    const { api, sent, now } = serve(json({ settings: { greeting: "Hey" }, version: 5 }));
    expect(await api.saveSettings({ greeting: "Hey" }, 4)).toMatchObject({ version: 5 });
    // A plain object: fetchWithAuth loses a Headers instance.
    expect(sent[0]?.init.headers).toEqual({
      "Content-Type": "application/json",
      "If-Match": '"4"',
    });
    expect(sent[0]?.init).toMatchObject({ method: "PATCH", body: '{"greeting":"Hey"}' });
    expect(now).toEqual([false]);
  });

  it("goes on when the panel is closed, and is sent at once when that is about to happen", async () => {
    const { api, sent, now } = serve(json({ settings: {}, version: 5 }));
    await api.saveSettings({ greeting: "Hey" }, 4, true);
    expect(sent[0]?.init.keepalive).toBe(true);
    expect(now).toEqual([true]);
  });

  it("calls the app's own routes", async () => {
    const { api, sent } = serve(json([1]), json({ id: 7 }), new Response(null, { status: 204 }));
    expect(await api.get("reviews?sort=new")).toEqual([1]);
    expect(await api.send("POST", "reviews", { stars: 5 })).toEqual({ id: 7 });
    expect(await api.send("DELETE", "reviews/7")).toBeNull();
    expect(sent.map(({ url, init }) => [url, init.method, init.body, init.cache])).toEqual([
      ["https://example.test/app/api/reviews?sort=new", undefined, undefined, "no-store"],
      ["https://example.test/app/api/reviews", "POST", '{"stars":5}', undefined],
      ["https://example.test/app/api/reviews/7", "DELETE", undefined, undefined],
    ]);
  });

  it("gives every request a timeout", async () => {
    const { api, sent } = serve(json({ settings: { greeting: "Hi" }, version: 4 }));
    await api.loadSettings();
    expect(sent[0]?.init.signal).toBeInstanceOf(AbortSignal);
  });
});

describe("the instance", () => {
  it.each([
    [
      "is read with plan, id and site name",
      {
        status: "Success",
        instance: { plan: { name: "pro", isFree: false }, instanceId: "i", siteDisplayName: "S" },
      },
      { plan: { name: "pro", isFree: false }, instanceId: "i", siteDisplayName: "S" },
    ],
    [
      "has no plan until the server has read it from Wix",
      { status: "Success", instance: { instanceId: "i" } },
      { plan: undefined, instanceId: "i", siteDisplayName: undefined },
    ],
    [
      "has the page with the plans while none is paid for",
      { status: "Success", instance: { upgradeUrl: "https://www.wix.com/x" } },
      { upgradeUrl: "https://www.wix.com/x" },
    ],
    [
      "has no page with plans that is a script",
      { status: "Success", instance: { upgradeUrl: "javascript:alert(1)" } },
      { upgradeUrl: undefined },
    ],
    [
      "has no plan when the plan is invalid",
      { status: "Success", instance: { plan: { name: 7 }, instanceId: 8 } },
      { plan: undefined, instanceId: undefined, siteDisplayName: undefined },
    ],
    ["is empty for a token without an instance", { status: "No instance ID." }, {}],
  ])("%s", async (_, body, expected) => {
    expect(await serve(json(body)).api.loadInstance()).toEqual(expected);
  });

  it("is a bad answer without an instance in it", async () => {
    const { api } = serve(json({ status: "Success" }));
    expect((await caught(api.loadInstance())).code).toBe("bad_answer");
  });
});

describe("tokens", () => {
  it.each(["token_expired", "token_inactive", "token_missing"])(
    "%s: a new token is fetched and the request sent again, once",
    async (code) => {
      const { api, sent, renewed } = serve(
        fault(401, code),
        json({ settings: { greeting: "Hi" }, version: 1 }),
      );
      expect((await api.loadSettings()).version).toBe(1);
      expect([sent.length, renewed()]).toEqual([2, 1]);
    },
  );

  it("a second refusal is final", async () => {
    const { api, sent, renewed } = serve(fault(401, "token_expired"), fault(401, "token_expired"));
    expect((await caught(api.loadSettings())).code).toBe("token_expired");
    expect([sent.length, renewed()]).toEqual([2, 1]);
  });

  it("a repeated save has its method and body again", async () => {
    const { api, sent } = serve(
      fault(401, "token_inactive"),
      json({ settings: { greeting: "Hey" }, version: 2 }),
    );
    await api.saveSettings({ greeting: "Hey" }, 1);
    expect(sent[1]?.init).toMatchObject({ method: "PATCH", body: '{"greeting":"Hey"}' });
  });

  it.each([
    [401, "token_malformed"],
    [403, "token_foreign"],
    [403, "owner_required"],
    [503, "wix_unavailable"],
  ])("%i %s: no second request", async (status, code) => {
    const { api, sent, renewed } = serve(fault(status, code));
    expect((await caught(api.loadSettings())).code).toBe(code);
    expect([sent.length, renewed()]).toEqual([1, 0]);
  });
});

describe("faults", () => {
  it.each([
    [401, "token_missing", "expired"],
    [401, "token_malformed", "expired"],
    [401, "token_inactive", "expired"],
    [401, "token_expired", "expired"],
    [403, "token_foreign", "foreign"],
    [403, "owner_required", "owner"],
    [403, "instance_required", "instance"],
    [403, "app_required", "server"],
    [400, "body_malformed", "server"],
    [422, "invalid_body", "server"],
    [503, "store_unavailable", "store"],
    [404, "not_found", "server"],
    [405, "method_not_allowed", "server"],
    [412, "version_conflict", "server"],
    [428, "version_required", "server"],
    [408, "request_timeout", "offline"],
    [413, "body_too_large", "server"],
    [415, "unsupported_media_type", "server"],
    [422, "invalid_settings", "server"],
    [429, "rate_limited", "limited"],
    [502, "wix_bad_response", "wix"],
    [502, "app_credentials_refused", "setup"],
    [502, "app_permission_missing", "setup"],
    [404, "instance_unknown", "instance"],
    [503, "wix_unavailable", "wix"],
    [504, "wix_timeout", "wix"],
    [500, "internal", "server"],
  ])("%i %s is of the kind %s", async (status, code, kind) => {
    const { api } = serve(fault(status, code), fault(status, code));
    const thrown = await caught(api.loadSettings());
    expect([thrown.code, kindOf(thrown), thrown.details.requestId]).toEqual([code, kind, "r-1"]);
  });

  it("with a code of the app carry the app's sentence", async () => {
    const body = { error: "The guest book is full.", code: "book_full", requestId: "r-1" };
    const thrown = await caught(serve(json(body, 409)).api.get("reviews"));
    expect([kindOf(thrown), thrown.details.sentence]).toEqual(["app", "The guest book is full."]);
  });

  it.each([
    ["no sentence", { code: "book_full" }],
    ["an empty one", { code: "book_full", error: "" }],
    ["one that is no text", { code: "book_full", error: 7 }],
  ])("with a code of the app and %s are of the kind server", async (_, body) => {
    expect(kindOf(await caught(serve(json(body, 409)).api.get("reviews")))).toBe("server");
  });

  it.each([
    ["a proxy's 502", new Response("<html>", { status: 502 }), "wix_unavailable"],
    ["a proxy's 503", new Response("", { status: 503 }), "wix_unavailable"],
    ["a proxy's 429", new Response("slow down", { status: 429 }), "rate_limited"],
    ["a proxy's 412", new Response("", { status: 412 }), "version_conflict"],
    ["a proxy's 500", new Response("oops", { status: 500 }), "internal"],
    ["an error whose body is null", new Response("null", { status: 500 }), "internal"],
    ["an answer that is no JSON", new Response("<html>"), "bad_answer"],
    ["settings without a version", json({ settings: { greeting: "Hi" } }), "bad_answer"],
    ["settings that are not there", json({ version: 1 }), "bad_answer"],
    ["settings that are null", json({ settings: null, version: 1 }), "bad_answer"],
    ["settings with no body", new Response(null, { status: 204 }), "bad_answer"],
    ["no connection", new Unreachable("no answer"), "offline"],
    ["no answer in time", new DOMException("late", "TimeoutError"), "offline"],
    ["an editor that gives no token", new TypeError("auth is not a function"), "no_token"],
  ])("%s", async (_, answer, code) => {
    expect((await caught(serve(answer).api.loadSettings())).code).toBe(code);
  });

  it("carry the faults of fields, without invalid ones", async () => {
    const fields = [{ name: "greeting", reason: "must not be empty" }, { name: 1 }, null];
    const { api } = serve(json({ error: "", code: "invalid_settings", fields }, 422));
    expect((await caught(api.saveSettings({ greeting: "" }, 1))).details.fields).toEqual([
      fields[0],
    ]);
  });

  it.each([
    ["seconds", "30", NOW + 30_000],
    ["a date", "Thu, 01 Jan 2026 00:01:00 GMT", NOW + 60_000],
    ["zero seconds", "0", undefined],
    ["a past date", "Wed, 31 Dec 2025 00:00:00 GMT", undefined],
    ["nonsense", "soon", undefined],
  ])("Retry-After with %s", async (_, header, at) => {
    const { api } = serve(fault(503, "wix_unavailable", { "Retry-After": header }));
    expect((await caught(api.loadSettings())).details.retryAt).toBe(at);
  });
});
