import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLoader, deadline, type Loader, type TokenFunction } from "./loader";
import type { Answer, Ask, Reply, Result } from "./types";

const api = "https://a.example/api/";
const success: Answer = {
  status: "Success",
  settings: { greeting: "Welcome" },
  instance: { siteDisplayName: "Lantern" },
};

interface Call {
  url: string;
  init: RequestInit;
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

/** The nth request; fails when it was not made. */
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
    (url: string, init: RequestInit) =>
      new Promise<Response>((resolve, reject) => {
        const signal = init.signal as AbortSignal;
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        signal.addEventListener("abort", () => reject(signal.reason));
        calls.push({
          url: String(url),
          init,
          authorization: new Headers(init.headers).get("Authorization"),
          cache: init.cache,
          signal,
          answer(body, status = 200, headers = {}) {
            const text = typeof body === "string" ? body : JSON.stringify(body);
            resolve(new Response(status === 204 ? null : text, { status, headers }));
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

/** Adds one copy and answers its request. */
async function load(body: unknown, status?: number, headers?: HeadersInit): Promise<Result> {
  loader.add({}, null);
  await settle();
  await call(calls.length - 1).answer(body, status, headers);
  return loader.view();
}

describe("one request for the page", () => {
  test("three copies make one, and share its answer", async () => {
    for (const copy of [{}, {}, {}]) {
      loader.add(copy, "7");
    }
    await settle();
    expect(calls.map((c) => c.url)).toEqual([`${api}get-instance?v=7`]);
    await call(0).answer(success);
    expect(loader.view()).toMatchObject({
      state: "ready",
      answer: success,
    });
    expect(states).toEqual(["loading", "ready"]);
  });

  test("a copy that is added after the answer makes none", async () => {
    await load(success);
    loader.add({}, "8");
    await settle();
    expect(calls).toHaveLength(1);
  });

  test("a copy that is added after a failure makes none", async () => {
    await load({}, 500);
    loader.add({}, null);
    await settle();
    expect(calls).toHaveLength(1);
  });

  test("the token is sent bare, without a cookie, and follows no redirect", async () => {
    const init = vi.fn();
    const stub = fetch;
    vi.stubGlobal("fetch", (url: string, options: RequestInit) => {
      init(options.credentials, options.redirect);
      return stub(url, options);
    });
    await load(success);
    expect(call(0).authorization).toBe("token");
    expect(init).toHaveBeenCalledWith("omit", "error");
  });

  test("the browser's cached answer is used at first, but not after a failure or a change", async () => {
    await load({}, 500);
    loader.retry();
    await settle();
    await call(1).answer(success);
    loader.change("2");
    await settle();
    expect(calls.map((c) => c.cache)).toEqual(["default", "no-cache", "no-cache"]);
  });

  test("a change bypasses the cache, also as the page's second request", async () => {
    await load(success);
    loader.change("2");
    await settle();
    expect(calls.map((c) => c.cache)).toEqual(["default", "no-cache"]);
  });

  test("without a version there is no query", async () => {
    await load(success);
    expect(call(0).url).toBe(`${api}get-instance`);
  });

  test.each([
    ["reserved characters", "a&b=c#d", "a%26b%3Dc%23d"],
    ["a lone surrogate", "\ud800", "%EF%BF%BD"],
  ])("a version may be any text: %s", async (_, version, want) => {
    loader.add({}, version);
    await settle();
    expect(call(0).url).toBe(`${api}get-instance?v=${want}`);
  });
});

describe("the token", () => {
  test("without one nothing happens", async () => {
    tokens = undefined;
    loader.add({}, null);
    await vi.advanceTimersByTimeAsync(10 * deadline);
    expect(calls).toHaveLength(0);
    expect(states).toEqual([]);
    expect(loader.view()).toEqual({ state: "idle" });
  });

  test("one that arrives late starts the request", async () => {
    tokens = undefined;
    const copy = {};
    loader.add(copy, "3");
    await vi.advanceTimersByTimeAsync(60_000);
    tokens = async () => "late";
    loader.add(copy, "3");
    await settle();
    expect(call(0).authorization).toBe("late");
    expect(call(0).url).toBe(`${api}get-instance?v=3`);
  });

  test("one without a copy starts none", async () => {
    loader.refresh();
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
    ["returns nothing", () => undefined],
    ["returns an empty string", () => " "],
    ["returns no string", () => ({ token: "x" })],
  ])("a function that %s is a failure without a request", async (_, fn) => {
    tokens = fn as TokenFunction;
    loader.add({}, null);
    await settle();
    expect(loader.view()).toMatchObject({ state: "failed", code: "token_unavailable" });
    expect(calls).toHaveLength(0);
  });

  test("a function that never answers fails at the deadline", async () => {
    tokens = () => new Promise(() => {});
    loader.add({}, null);
    await vi.advanceTimersByTimeAsync(deadline - 1);
    expect(loader.view().state).toBe("loading");
    await vi.advanceTimersByTimeAsync(1);
    expect(loader.view()).toMatchObject({ state: "failed", code: "timeout" });
  });

  test("after an expired one the host's next is tried once", async () => {
    let n = 0;
    tokens = () => `token ${++n}`;
    loader.add({}, null);
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
  test.each<[string, unknown, Partial<Result>]>([
    [
      "a site without a name",
      { ...success, instance: {} },
      { state: "ready", answer: { ...success, instance: {} } },
    ],
    ["no settings", { status: "Success" }, { state: "ready", answer: { status: "Success" } }],
    [
      "the app's own fields",
      { ...success, average: 4.5 },
      { state: "ready", answer: { ...success, average: 4.5 } },
    ],
    [
      "no instance",
      { status: "No instance ID." },
      { state: "ready", code: "no_instance", answer: { status: "No instance ID." } },
    ],
    ["an unknown status", { status: "Perhaps" }, { state: "failed", code: "bad_response" }],
    ["no status", {}, { state: "failed", code: "bad_response" }],
    ["null", null, { state: "failed", code: "bad_response" }],
    ["a list", [], { state: "failed", code: "bad_response" }],
    ["a proxy's page", "<!doctype html>", { state: "failed", code: "bad_response" }],
    ["a truncated answer", '{"status":"Succ', { state: "failed", code: "bad_response" }],
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
    ["a success with status 500", 500, { ...success, requestId: "r" }, "http_500"],
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
    loader.add({}, null);
    await settle();
    await call(0).hangUp();
    expect(loader.view()).toMatchObject({ state: "failed", code: "network" });
  });

  test("no answer: the request is aborted at the deadline", async () => {
    loader.add({}, null);
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
    loader.add({}, null);
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
    ["without end", "1e300", 3600],
  ])("a Retry-After that is %s", async (_, header, wait) => {
    expect(await load({}, 503, { "Retry-After": header })).toMatchObject({ wait });
  });
});

describe("refresh", () => {
  test("three copies with one new version make one request, and the old answer stays until then", async () => {
    await load(success);
    for (let copies = 0; copies < 3; copies++) {
      loader.change("2");
    }
    await settle();
    expect(calls).toHaveLength(2);
    expect(call(1).url).toBe(`${api}get-instance?v=2`);
    expect(loader.view()).toMatchObject({ state: "loading", answer: success });
    await call(1).answer({ ...success, settings: { greeting: "Ahoy" } });
    expect(loader.view()).toMatchObject({
      state: "ready",
      answer: { settings: { greeting: "Ahoy" } },
    });
  });

  test("three copies with three different versions at once make one request", async () => {
    await load(success);
    for (const version of ["2", "3", "4"]) {
      loader.change(version);
    }
    await settle();
    expect(calls.slice(1).map((c) => c.url)).toEqual([`${api}get-instance?v=4`]);
  });

  test("a newer one replaces the request in flight", async () => {
    loader.add({}, "1");
    await settle();
    loader.change("2");
    await settle();
    expect(call(0).signal.aborted).toBe(true);
    await call(1).answer(success);
    expect(states).toEqual(["loading", "loading", "ready"]);
  });

  test("after a failed one the old answer stays", async () => {
    await load(success);
    loader.change("2");
    await settle();
    await call(1).answer({}, 500);
    expect(loader.view()).toMatchObject({ state: "failed", answer: success });
  });

  test("one without a copy waits for a copy", async () => {
    loader.change("2");
    await settle();
    expect(calls).toHaveLength(0);
    loader.add({}, null);
    await settle();
    expect(call(0).url).toBe(`${api}get-instance?v=2`);
  });
});

describe("a refresh that the face asks for", () => {
  test("replaces the request in flight, which may not know yet", async () => {
    loader.add({}, "1");
    await settle();
    loader.refresh();
    await settle();
    expect(call(0).signal.aborted).toBe(true);
    expect(call(1).url).toBe(`${api}get-instance?v=1`);
    expect(call(1).cache).toBe("no-cache");
    await call(1).answer(success);
    expect(loader.view()).toMatchObject({ state: "ready", answer: success });
  });

  test("also asks again after a failure", async () => {
    await load({}, 500);
    loader.refresh();
    await settle();
    await call(1).answer(success);
    expect(states).toEqual(["loading", "failed", "loading", "ready"]);
  });
});

describe("a request of the face", () => {
  const ask = (path: string, init: Ask = {}, signal = new AbortController().signal) => {
    const asked: { reply?: Reply } = {};
    loader.ask(path, init, signal).then((reply) => {
      asked.reply = reply;
    });
    return asked;
  };

  test("goes to api/ with the token, no cookie, and its body as JSON", async () => {
    const asked = ask("reviews?page=2", { method: "POST", body: { stars: 5 } });
    await settle();
    const { url, init } = call(0);
    expect(url).toBe(`${api}reviews?page=2`);
    expect(init).toMatchObject({
      method: "POST",
      body: '{"stars":5}',
      headers: { Authorization: "token", "Content-Type": "application/json" },
      credentials: "omit",
    });
    await call(0).answer({ stars: 5 }, 201);
    expect(asked.reply).toMatchObject({ body: { stars: 5 }, wait: 0 });
    expect(asked.reply?.code).toBeUndefined();
    expect(states).toEqual([]);
  });

  test("without a body sends none", async () => {
    ask("reviews");
    await settle();
    expect(call(0).init.body).toBeUndefined();
    expect(call(0).init.headers).toEqual({ Authorization: "token" });
  });

  test.each(["https://b.example/", "//b.example/", "\\\\b.example/", "../../", "@b.example/"])(
    "never sends the token to another server: %s",
    async (path) => {
      ask(path);
      await settle();
      expect(new URL(call(0).url).origin).toBe("https://a.example");
    },
  );

  test("after an expired token tries the host's next one, once", async () => {
    let n = 0;
    tokens = () => `token ${++n}`;
    const asked = ask("reviews", { method: "POST", body: { stars: 5 } });
    await settle();
    await call(0).answer({ code: "token_expired" }, 401);
    await call(1).answer({ code: "token_expired" }, 401);
    expect(calls.map((c) => c.authorization)).toEqual(["token 1", "token 2"]);
    expect(calls.map((c) => c.init.body)).toEqual(Array(2).fill('{"stars":5}'));
    expect(asked.reply?.code).toBe("token_expired");
  });

  test.each<[string, unknown, number, HeadersInit, Reply]>([
    ["no content", "", 204, {}, { wait: 0 }],
    ["an empty answer", "", 200, {}, { wait: 0 }],
    ["a proxy's page", "<!doctype html>", 200, {}, { code: "bad_response", wait: 0 }],
    [
      "the app's own error",
      { error: "Only three.", code: "review_limit", requestId: "r" },
      402,
      {},
      {
        code: "review_limit",
        requestId: "r",
        wait: 0,
        body: { error: "Only three.", code: "review_limit", requestId: "r" },
      },
    ],
    [
      "a server that is busy",
      { code: "rate_limited" },
      429,
      { "Retry-After": "7" },
      { code: "rate_limited", wait: 7, body: { code: "rate_limited" } },
    ],
  ])("is answered: %s", async (_, body, status, headers, want) => {
    const asked = ask("reviews");
    await settle();
    await call(0).answer(body, status, headers);
    expect(asked.reply).toEqual(want);
  });

  test("without a token is refused", async () => {
    tokens = undefined;
    const asked = ask("reviews");
    await settle();
    expect(asked.reply).toEqual({ code: "token_unavailable" });
    expect(calls).toHaveLength(0);
  });

  test("without a network fails", async () => {
    const asked = ask("reviews");
    await settle();
    await call(0).hangUp();
    expect(asked.reply).toEqual({ code: "network" });
  });

  test("without an answer fails at the deadline", async () => {
    const asked = ask("reviews");
    await vi.advanceTimersByTimeAsync(deadline);
    expect(asked.reply).toEqual({ code: "timeout" });
  });

  test("with a body that is no JSON fails", async () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    const asked = ask("reviews", { method: "POST", body: circle });
    await settle();
    expect(asked.reply).toEqual({ code: "network" });
  });

  test("is canceled by its signal", async () => {
    const run = new AbortController();
    const asked = ask("reviews", {}, run.signal);
    await settle();
    run.abort();
    await settle();
    expect(call(0).signal.aborted).toBe(true);
    expect(asked.reply).toEqual({ code: "network" });
  });
});

describe("removing", () => {
  test("the last copy cancels the request", async () => {
    const [a, b] = [{}, {}];
    loader.add(a, null);
    loader.add(b, null);
    await settle();
    loader.remove(a);
    expect(call(0).signal.aborted).toBe(false);
    loader.remove(b);
    expect(call(0).signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(10 * deadline);
    expect(states).toEqual(["loading", "idle"]);
  });

  test("before the token has arrived: no request at all", async () => {
    let give: (token: string) => void = () => {};
    tokens = () =>
      new Promise((resolve) => {
        give = resolve;
      });
    const copy = {};
    loader.add(copy, null);
    loader.remove(copy);
    give("token");
    await settle();
    expect(calls).toHaveLength(0);
  });

  test("a copy that is added again starts a new request", async () => {
    const copy = {};
    loader.add(copy, null);
    await settle();
    loader.remove(copy);
    loader.add(copy, null);
    await settle();
    await call(1).answer(success);
    expect(loader.view().state).toBe("ready");
  });

  test("an answer stays for copies that are added later", async () => {
    const copy = {};
    loader.add(copy, null);
    await settle();
    await call(0).answer(success);
    loader.remove(copy);
    loader.add({}, null);
    await settle();
    expect(calls).toHaveLength(1);
    expect(loader.view().state).toBe("ready");
  });

  test("a failure does not", async () => {
    const copy = {};
    loader.add(copy, null);
    await settle();
    await call(0).answer({}, 500, { "Retry-After": "30" });
    loader.remove(copy);
    expect(loader.view()).toMatchObject({ state: "idle" });
    await vi.advanceTimersByTimeAsync(31_000);
    expect(loader.view()).toMatchObject({ state: "idle" });
  });

  test("a copy that was never added changes nothing", async () => {
    loader.add({}, null);
    await settle();
    loader.remove({});
    expect(call(0).signal.aborted).toBe(false);
  });
});
