import { afterEach, expect, test, vi } from "vitest";
import { type AppState, type Delivery, deliveryState, Lifecycle, planState } from "./lifecycle";

afterEach(() => vi.unstubAllGlobals());

const retryMs = [60_000, 600_000, 7_200_000];
const attempt = (status?: number, durationMs = 4, error?: string) => ({
  status,
  durationMs,
  error,
});

test.each<[string, Delivery["state"], Delivery["attempts"], string]>([
  ["one that has not been tried", "pending", [], "X is on its way."],
  ["one that was taken", "delivered", [attempt(200, 3.6)], "X delivered in 4 ms."],
  ["one that took no time", "delivered", [attempt(200, 0.2)], "X delivered in 1 ms."],
  ["one that took long", "delivered", [attempt(200, 1200)], "X delivered in 1 s."],
  ["one refused", "pending", [attempt(404)], "X failed: 404, next try in 1 min."],
  [
    "one that nobody answered",
    "pending",
    [attempt(undefined, 9, "connection refused")],
    "X failed: connection refused, next try in 1 min.",
  ],
  [
    "one refused three times",
    "pending",
    [attempt(500), attempt(500), attempt(503)],
    "X failed: 503, next try in 2 h.",
  ],
  ["one given up", "failed", [attempt(500)], "X failed: 500, given up."],
])("what is said of a webhook: %s", (_name, state, attempts, said) => {
  const delivery = { id: 1, eventType: "X", instanceId: "i", state, attempts };
  expect(deliveryState(delivery, retryMs)).toBe(said);
});

test.each<[Partial<AppState>, string]>([
  [{ installed: false, plan: "gold" }, "Not installed."],
  [{}, "Free plan."],
  [{ plan: "gold", billingCycle: "MONTHLY" }, "Plan gold, monthly."],
  [
    { plan: "gold", billingCycle: "YEARLY", renewalCancelled: true },
    "Plan gold, yearly, ends with the billing cycle.",
  ],
])("what is said of the plan %j", (app, said) => {
  const state = { installed: true, plan: "", billingCycle: "", renewalCancelled: false, ...app };
  expect(planState(state, (id) => id)).toBe(said);
});

/** A control API that holds some deliveries and gets more by what it is asked to do. */
function wix(o: {
  url?: string;
  sends?: Partial<Delivery>[];
  answer?: [number, unknown];
}): Record<string, unknown>[] {
  const asked: Record<string, unknown>[] = [];
  let deliveries: unknown[] = [{ id: 7, instanceId: "i", state: "delivered", attempts: [] }];
  let reads = 0;
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    if (path === "_sim/webhook-url") {
      return Response.json({ url: o.url ?? "http://app" });
    }
    if (path === "_sim/webhooks") {
      // The first attempt ends some time after the change has been answered.
      if (++reads === 3) {
        deliveries = deliveries.map((d) => ({ ...(d as Delivery), attempts: [attempt(200)] }));
      }
      return Response.json(deliveries);
    }
    asked.push({ path, method: init.method, ...JSON.parse(String(init.body)) });
    deliveries = [
      ...deliveries,
      ...(o.sends ?? []).map((d) => ({ id: 8, instanceId: "i", attempts: [], ...d })),
    ];
    const [status, body] = o.answer ?? [200, { instanceId: "i", plan: "gold" }];
    return status === 204 ? new Response(null, { status }) : Response.json(body, { status });
  });
  return asked;
}

test("a change waits for its own webhook's first attempt", async () => {
  const asked = wix({
    sends: [
      { id: 8, instanceId: "other", eventType: "Theirs", state: "delivered" },
      { id: 9, eventType: "PaidPlanPurchased", state: "delivered" },
    ],
  });
  const outcome = await new Lifecycle("_sim/", retryMs).changePlan("i", { plan: "gold" });
  expect(outcome.told).toBe("PaidPlanPurchased delivered in 4 ms.");
  expect(outcome.installation?.plan).toBe("gold");
  expect(asked).toEqual([{ path: "_sim/installs/i/plan", method: "PUT", plan: "gold" }]);
});

test("a removal leaves no installation", async () => {
  const asked = wix({
    answer: [204, null],
    sends: [{ eventType: "AppRemoved", state: "delivered" }],
  });
  const outcome = await new Lifecycle("_sim/", retryMs).remove("i");
  expect(outcome).toEqual({ installation: null, told: "AppRemoved delivered in 4 ms." });
  expect(asked).toEqual([{ path: "_sim/installs/i", method: "DELETE", silent: false }]);
});

test("a change that Wix forgets to tell of, sends none", async () => {
  wix({});
  const outcome = await new Lifecycle("_sim/", retryMs).remove("i", true);
  expect(outcome.told).toBe("Wix told no one.");
});

test("a change without an event says so", async () => {
  wix({});
  const { told } = await new Lifecycle("_sim/", retryMs).changePlan("i", { plan: "" });
  expect(told).toBe("Wix sends no webhook for this.");
});

test("without a webhook URL nobody is told", async () => {
  wix({ url: "" });
  const { told } = await new Lifecycle("_sim/", retryMs).install({});
  expect(told).toBe("No webhook was sent: no URL is set.");
});

test("what the offline Wix refuses is an error with its words", async () => {
  wix({ answer: [400, { error: "plan must be text" }] });
  const change = new Lifecycle("_sim/", retryMs).changePlan("i", { plan: "x" });
  await expect(change).rejects.toThrow("plan must be text");
});
