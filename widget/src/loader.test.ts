import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLoader, deadline, type Loader, type TokenFunction, type View } from "./loader";

const api = "https://a.example/api/";
const success = {
  status: "Success",
  settings: { greeting: "Welcome" },
  instance: { siteDisplayName: "Lantern" },
};

interface Call {
  url: string;
  authorization: string | null;
  cache?: RequestCache;
  signal: AbortSignal;
  answer(body: unknown, status?: number, headers?: HeadersInit): Promise<void>;
  hangUp(): Promise<void>;
}

let calls: Call[];
let states: string[];
let tokens: TokenFunction | undefined;
let loader: Loader;

const settle = () => vi.advanceTimersByTimeAsync(0);

/** The call that a test needs next to be there. */
function call(n: number): Call {
  const found = calls[n];
  if (!found) {
    throw new Error(`only ${calls.length} requests were made`);
  }
  return found;
}

beforeEach(() => {
  vi.useFakeTimers();
  calls = [];
  states = [];
  tokens = () => "token";
  loader = createLoader(
    api,
    () => tokens,
    () => states.push(loader.view().state),
  );
  vi.stubGlobal(
    "fetch",
    (url: URL, init: RequestInit) =>
      new Promise<Response>((resolve, reject) => {
        const signal = init.signal as AbortSignal;
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        signal.addEventListener("abort", () => reject(signal.reason));
        calls.push({
          url: String(url),
          authorization: new Headers(init.headers).get("Authorization"),
          cache: init.cache,
          signal,
          answer(body, status = 200, headers = {}) {
            const text = typeof body === "string" ? body : JSON.stringify(body);
            resolve(new Response(text, { status, headers }));
            return settle().then();
          },
          hangUp() {
            reject(new TypeError("Failed to fetch"));
            return settle().then();
          },
        });
      }),
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Makes one copy want the answer and answers its request. */
async function load(body: unknown, status?: number, headers?: HeadersInit): Promise<View> {
  loader.want({}, null);
  await settle();
  await call(calls.length - 1).answer(body, status, headers);
  return loader.view();
}

describe("one request for the page", () => {
  test("three copies make one, and share what it brings", async () => {
    for (const copy of [{}, {}, {}]) {
      loader.want(copy, "7");
    }
    await settle();
    expect(calls.map((c) => c.url)).toEqual([`${api}get-instance?v=7`]);
    await call(0).answer(success);
    expect(loader.view()).toMatchObject({
      state: "ready",
      known: { greeting: "Welcome", site: "Lantern" },
    });
    expect(states).toEqual(["loading", "ready"]);
  });

  test("a copy that comes when the answer is there makes none", async () => {
    await load(success);
    loader.want({}, "8");
    await settle();
    expect(calls).toHaveLength(1);
  });

  test("a copy that comes after a failure makes none", async () => {
    await load({}, 500);
    loader.want({}, null);
    await settle();
    expect(calls).toHaveLength(1);
  });

  test("the token is sent bare, and no cookie", async () => {
    const init = vi.fn();
    const stub = fetch;
    vi.stubGlobal("fetch", (url: URL, options: RequestInit) => {
      init(options.credentials);
      return stub(url, options);
    });
    await load(success);
    expect(call(0).authorization).toBe("token");
    expect(init).toHaveBeenCalledWith("omit");
  });

  test("the browser's own copy will do at first, but not after a failure or a change", async () => {
    await load({}, 500);
    loader.retry();
    await settle();
    await call(1).answer(success);
    loader.refresh("2");
    await settle();
    expect(calls.map((c) => c.cache)).toEqual(["default", "no-cache", "no-cache"]);
  });

  test("a change asks anew, also as the second request of the page", async () => {
    await load(success);
    loader.refresh("2");
    await settle();
    expect(calls.map((c) => c.cache)).toEqual(["default", "no-cache"]);
  });

  test("without a version there is no query", async () => {
    await load(success);
    expect(call(0).url).toBe(`${api}get-instance`);
  });

  test.each([
    ["what a query would take apart", "a&b=c#d", "a%26b%3Dc%23d"],
    ["a lone surrogate", "\ud800", "%EF%BF%BD"],
  ])("a version may be any text: %s", async (_, version, want) => {
    loader.want({}, version);
    await settle();
    expect(call(0).url).toBe(`${api}get-instance?v=${want}`);
  });
});

describe("the token", () => {
  test("without one nothing happens", async () => {
    tokens = undefined;
    loader.want({}, null);
    await vi.advanceTimersByTimeAsync(10 * deadline);
    expect(calls).toHaveLength(0);
    expect(states).toEqual([]);
    expect(loader.view()).toEqual({ state: "idle" });
  });

  test("a late one starts the request", async () => {
    tokens = undefined;
    loader.want({}, "3");
    await vi.advanceTimersByTimeAsync(60_000);
    tokens = async () => "late";
    loader.wake();
    await settle();
    expect(call(0).authorization).toBe("late");
    expect(call(0).url).toBe(`${api}get-instance?v=3`);
  });

  test("one that nobody wants starts none", async () => {
    loader.wake();
    await settle();
    expect(calls).toHaveLength(0);
  });

  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["gives nothing", () => undefined],
    ["gives an empty text", () => " "],
    ["gives no text", () => ({ token: "x" })],
  ])("a function that %s is a failure without a request", async (_, fn) => {
    tokens = fn as TokenFunction;
    loader.want({}, null);
    await settle();
    expect(loader.view()).toMatchObject({ state: "failed", code: "token_unavailable" });
    expect(calls).toHaveLength(0);
  });

  test("a function that never answers fails at the deadline", async () => {
    tokens = () => new Promise(() => {});
    loader.want({}, null);
    await vi.advanceTimersByTimeAsync(deadline - 1);
    expect(loader.view().state).toBe("loading");
    await vi.advanceTimersByTimeAsync(1);
    expect(loader.view()).toMatchObject({ state: "failed", code: "timeout" });
  });

  test("an expired one is fetched afresh and tried once more", async () => {
    let n = 0;
    tokens = () => `token ${++n}`;
    loader.want({}, null);
    await settle();
    await call(0).answer({ error: "x", code: "token_expired", requestId: "r1" }, 401);
    expect(loader.view().state).toBe("loading");
    await call(1).answer(success);
    expect(calls.map((c) => c.authorization)).toEqual(["token 1", "token 2"]);
    expect(states).toEqual(["loading", "ready"]);
  });

  test("expired twice is a failure", async () => {
    await load({ code: "token_expired" }, 401);
    await call(1).answer({ code: "token_expired", requestId: "r2" }, 401);
    expect(loader.view()).toMatchObject({
      state: "failed",
      code: "token_expired",
      requestId: "r2",
    });
    await vi.advanceTimersByTimeAsync(10 * deadline);
    expect(calls).toHaveLength(2);
  });
});

describe("answers", () => {
  test.each<[string, unknown, Partial<View>]>([
    [
      "a site without a name",
      { ...success, instance: {} },
      { state: "ready", known: { greeting: "Welcome", site: "" } },
    ],
    ["no settings", { status: "Success" }, { state: "ready", known: { greeting: "", site: "" } }],
    [
      "fields of the wrong type",
      { status: "Success", settings: { greeting: 7 }, instance: { siteDisplayName: {} } },
      { state: "ready", known: { greeting: "", site: "" } },
    ],
    [
      "no instance",
      { status: "No instance ID." },
      { state: "ready", code: "no_instance", known: { greeting: "" } },
    ],
    ["an unknown status", { status: "Perhaps" }, { state: "failed", code: "bad_response" }],
    ["no status", {}, { state: "failed", code: "bad_response" }],
    ["null", null, { state: "failed", code: "bad_response" }],
    ["a list", [], { state: "failed", code: "bad_response" }],
    ["a page of a proxy", "<!doctype html>", { state: "failed", code: "bad_response" }],
    ["half an answer", '{"status":"Succ', { state: "failed", code: "bad_response" }],
    ["nothing", "", { state: "failed", code: "bad_response" }],
  ])("200: %s", async (_, body, want) => {
    expect(await load(body)).toMatchObject(want);
  });

  test.each<[string, number, unknown, string]>([
    ["401", 401, { error: "x", code: "token_inactive", requestId: "r" }, "token_inactive"],
    ["403", 403, { error: "x", code: "token_foreign", requestId: "r" }, "token_foreign"],
    ["500", 500, { error: "x", code: "internal", requestId: "r" }, "internal"],
    ["503", 503, { error: "x", code: "wix_unavailable", requestId: "r" }, "wix_unavailable"],
    ["a code of the wrong type", 500, { code: 7, requestId: "r" }, "http_500"],
    ["a success that is none", 500, { ...success, requestId: "r" }, "http_500"],
  ])("failure: %s", async (_, status, body, code) => {
    expect(await load(body, status)).toMatchObject({
      state: "failed",
      code,
      requestId: "r",
      wait: 0,
    });
    expect(calls).toHaveLength(1);
  });

  test("a failure that is no JSON has the request id of the header", async () => {
    expect(await load("<h1>Bad gateway", 502, { "X-Request-Id": "h" })).toMatchObject({
      state: "failed",
      code: "http_502",
      requestId: "h",
    });
  });

  test("no network", async () => {
    loader.want({}, null);
    await settle();
    await call(0).hangUp();
    expect(loader.view()).toMatchObject({ state: "failed", code: "network" });
  });

  test("no answer: the request is given up at the deadline", async () => {
    loader.want({}, null);
    await vi.advanceTimersByTimeAsync(deadline);
    expect(loader.view()).toMatchObject({ state: "failed", code: "timeout" });
    expect(call(0).signal.aborted).toBe(true);
  });
});

describe("retry", () => {
  test("asks again after a failure", async () => {
    await load({}, 502);
    loader.retry();
    await settle();
    await call(1).answer(success);
    expect(states).toEqual(["loading", "failed", "loading", "ready"]);
  });

  test("does nothing in any other state", async () => {
    loader.retry();
    loader.want({}, null);
    loader.retry();
    await settle();
    await call(0).answer(success);
    loader.retry();
    await settle();
    expect(calls).toHaveLength(1);
  });

  test("waits for as long as the server asks", async () => {
    expect(await load({ code: "rate_limited" }, 429, { "Retry-After": "30" })).toMatchObject({
      wait: 30,
    });
    await vi.advanceTimersByTimeAsync(29_999);
    loader.retry();
    await settle();
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(loader.view()).toMatchObject({ state: "failed", code: "rate_limited", wait: 0 });
    loader.retry();
    await settle();
    expect(calls).toHaveLength(2);
  });

  test.each([
    ["a date", "Wed, 21 Oct 2026 07:28:00 GMT", 0],
    ["negative", "-5", 0],
    ["not a number", "soon", 0],
    ["a fraction", "0.2", 1],
    ["for ever", "1e300", 3600],
  ])("a Retry-After that is %s", async (_, header, wait) => {
    expect(await load({}, 503, { "Retry-After": header })).toMatchObject({ wait });
  });
});

describe("refresh", () => {
  test("three copies told at once make one request, and the old answer stays till then", async () => {
    await load(success);
    for (let copies = 0; copies < 3; copies++) {
      loader.refresh("2");
    }
    await settle();
    expect(calls).toHaveLength(2);
    expect(call(1).url).toBe(`${api}get-instance?v=2`);
    expect(loader.view()).toMatchObject({ state: "loading", known: { greeting: "Welcome" } });
    await call(1).answer({ ...success, settings: { greeting: "Ahoy" } });
    expect(loader.view()).toMatchObject({ state: "ready", known: { greeting: "Ahoy" } });
  });

  test("three copies told three different versions at once make one request", async () => {
    await load(success);
    for (const version of ["2", "3", "4"]) {
      loader.refresh(version);
    }
    await settle();
    expect(calls.slice(1).map((c) => c.url)).toEqual([`${api}get-instance?v=4`]);
  });

  test("a newer one overtakes the request under way", async () => {
    loader.want({}, "1");
    await settle();
    loader.refresh("2");
    await settle();
    expect(call(0).signal.aborted).toBe(true);
    await call(1).answer(success);
    expect(states).toEqual(["loading", "loading", "ready"]);
  });

  test("a failed one keeps the old answer", async () => {
    await load(success);
    loader.refresh("2");
    await settle();
    await call(1).answer({}, 500);
    expect(loader.view()).toMatchObject({ state: "failed", known: { greeting: "Welcome" } });
  });

  test("one that nobody wants waits for somebody", async () => {
    loader.refresh("2");
    await settle();
    expect(calls).toHaveLength(0);
    loader.want({}, null);
    await settle();
    expect(call(0).url).toBe(`${api}get-instance?v=2`);
  });
});

describe("leaving", () => {
  test("the last copy takes the request with it", async () => {
    const [a, b] = [{}, {}];
    loader.want(a, null);
    loader.want(b, null);
    await settle();
    loader.drop(a);
    expect(call(0).signal.aborted).toBe(false);
    loader.drop(b);
    expect(call(0).signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(10 * deadline);
    expect(states).toEqual(["loading", "idle"]);
  });

  test("before the token has come: no request at all", async () => {
    let give: (token: string) => void = () => {};
    tokens = () =>
      new Promise((resolve) => {
        give = resolve;
      });
    const copy = {};
    loader.want(copy, null);
    loader.drop(copy);
    give("token");
    await settle();
    expect(calls).toHaveLength(0);
  });

  test("a copy that comes back asks anew", async () => {
    const copy = {};
    loader.want(copy, null);
    await settle();
    loader.drop(copy);
    loader.want(copy, null);
    await settle();
    await call(1).answer(success);
    expect(loader.view().state).toBe("ready");
  });

  test("an answer stays for the copies that come later", async () => {
    const copy = {};
    loader.want(copy, null);
    await settle();
    await call(0).answer(success);
    loader.drop(copy);
    loader.want({}, null);
    await settle();
    expect(calls).toHaveLength(1);
    expect(loader.view().state).toBe("ready");
  });

  test("a failure does not", async () => {
    const copy = {};
    loader.want(copy, null);
    await settle();
    await call(0).answer({}, 500, { "Retry-After": "30" });
    loader.drop(copy);
    expect(loader.view()).toMatchObject({ state: "idle" });
    await vi.advanceTimersByTimeAsync(31_000);
    expect(loader.view()).toMatchObject({ state: "idle" });
  });

  test("of a copy that never wanted changes nothing", async () => {
    loader.want({}, null);
    await settle();
    loader.drop({});
    expect(call(0).signal.aborted).toBe(false);
  });
});
