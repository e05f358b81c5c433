import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DemoSession } from "./session";

const base = "/app/demo/";
let asked: string[];
let ended: Set<string>;
let refusal: Response | null;

beforeEach(() => {
  asked = [];
  ended = new Set();
  refusal = null;
  let created = 0;
  vi.stubGlobal("fetch", async (url: string, { method = "GET" }: RequestInit) => {
    const path = url.slice(base.length);
    asked.push(`${method} ${path}`);
    if (path === "sessions") {
      return refusal ?? Response.json({ session: `s${++created}` }, { status: 201 });
    }
    return ended.has(path.split("/")[1] ?? "")
      ? Response.json({ code: "not_found" }, { status: 404 })
      : Response.json(path.endsWith("calls") ? { calls: [{}, {}] } : { token: "t" });
  });
  sessionStorage.clear();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const open = async () => {
  const session = await DemoSession.open(base);
  return [session.current.session, session.callsBefore];
};

test("the next load of the page has the same session", async () => {
  expect(await open()).toEqual(["s1", 0]);
  expect(await open()).toEqual(["s1", 2]);
  expect(asked).toEqual(["POST sessions", "GET sessions/s1/calls"]);
});

test("a session that has ended is replaced, at a load and between two", async () => {
  await open();
  ended.add("s1");
  expect(await open()).toEqual(["s2", 0]);
  const session = await DemoSession.open(base);
  ended.add("s2");
  await session.token("VISITOR");
  expect(session.current.session).toBe("s3");
  expect(await open()).toEqual(["s3", 2]);
});

test.each(["", "{", "null", "5", "{}"])("what is stored may be anything: %j", async (stored) => {
  ended.add("undefined");
  sessionStorage.setItem(base, stored);
  expect(await open()).toEqual(["s1", 0]);
});

test("a browser without storage has the demo, too", async () => {
  vi.stubGlobal("sessionStorage", undefined);
  expect(await open()).toEqual(["s1", 0]);
  expect(await open()).toEqual(["s2", 0]);
});

test.each([
  ["2101", "in 36 minutes"],
  ["61", "in 2 minutes"],
  ["60", "in a minute"],
  ["", "in a minute"],
])("with Retry-After %j the next session is free %s", async (header, when) => {
  refusal = new Response("{}", { status: 429, headers: { "Retry-After": header } });
  await expect(open()).rejects.toThrow(
    `The demo has no free session for you at the moment. The next one is free ${when}.`,
  );
});
