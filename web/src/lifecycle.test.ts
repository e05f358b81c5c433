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
  ["not tried yet", "pending", [], "X is being sent."],
  ["accepted", "delivered", [attempt(200, 3.6)], "X delivered in 4 ms."],
  ["accepted at once", "delivered", [attempt(200, 0.2)], "X delivered in 1 ms."],
  ["accepted after a second", "delivered", [attempt(200, 1200)], "X delivered in 1 s."],
  ["refused", "pending", [attempt(404)], "X failed: 404, retry in 1 min."],
  [
    "not answered",
    "pending",
    [attempt(undefined, 9, "connection refused")],
    "X failed: connection refused, retry in 1 min.",
  ],
  [
    "refused three times",
    "pending",
    [attempt(500), attempt(500), attempt(503)],
    "X failed: 503, retry in 2 h.",
  ],
  ["failed for good", "failed", [attempt(500)], "X failed: 500, no further retry."],
])("the state of a webhook: %s", (_name, state, attempts, sentence) => {
  const delivery = { id: 1, eventType: "X", instanceId: "i", state, attempts };
  expect(deliveryState(delivery, retryMs)).toBe(sentence);
});

test.each<[Partial<AppState>, string]>([
  [{ installed: false, plan: "gold" }, "Not installed."],
  [{}, "Free plan."],
  [{ plan: "gold", billingCycle: "MONTHLY" }, "Plan gold, monthly."],
  [
    { plan: "gold", billingCycle: "YEARLY", renewalCancelled: true },
    "Plan gold, yearly, ends with the billing cycle.",
  ],
])("the plan %j", (app, sentence) => {
  const state = { installed: true, plan: "", billingCycle: "", renewalCancelled: false, ...app };
  expect(planState(state, (id) => id)).toBe(sentence);
});

/** A control API with some deliveries, which grows by a delivery with each change. */
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
    if (path === "_sim/webhooks?limit=100") {
      // The first attempt ends some time after the answer to the change.
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
  expect(outcome.webhook).toBe("PaidPlanPurchased delivered in 4 ms.");
  expect(outcome.installation?.plan).toBe("gold");
  expect(asked).toEqual([{ path: "_sim/installs/i/plan", method: "PUT", plan: "gold" }]);
});

test("a removal leaves no installation", async () => {
  const asked = wix({
    answer: [204, null],
    sends: [{ eventType: "AppRemoved", state: "delivered" }],
  });
  const outcome = await new Lifecycle("_sim/", retryMs).remove("i");
  expect(outcome).toEqual({ installation: null, webhook: "AppRemoved delivered in 4 ms." });
  expect(asked).toEqual([{ path: "_sim/installs/i", method: "DELETE", silent: false }]);
});

test("a silent change sends none", async () => {
  wix({});
  const outcome = await new Lifecycle("_sim/", retryMs).remove("i", true);
  expect(outcome.webhook).toBe("No webhook was sent.");
});

test("a change without an event says so", async () => {
  wix({});
  const { webhook } = await new Lifecycle("_sim/", retryMs).changePlan("i", { plan: "" });
  expect(webhook).toBe("Wix sends no webhook for this.");
});

test("without a webhook URL none is sent", async () => {
  wix({ url: "" });
  const { webhook } = await new Lifecycle("_sim/", retryMs).install({});
  expect(webhook).toBe("No webhook was sent: no URL is set.");
});

test("a refusal of the offline Wix is an error with its sentence", async () => {
  wix({ answer: [400, { error: "plan must be text" }] });
  const change = new Lifecycle("_sim/", retryMs).changePlan("i", { plan: "x" });
  await expect(change).rejects.toThrow("plan must be text");
});
