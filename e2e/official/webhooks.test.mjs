// Wix's own SDK, unmodified, accepts the webhooks of the offline Wix.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import { appId, sim } from "./wix.mjs";

const handlers = {
  AppInstalled: "onAppInstanceInstalled",
  AppRemoved: "onAppInstanceRemoved",
  PaidPlanPurchased: "onAppInstancePaidPlanPurchased",
  PaidPlanChanged: "onAppInstancePaidPlanChanged",
  PaidPlanAutoRenewalCancelled: "onAppInstancePaidPlanAutoRenewalCancelled",
  PlanConvertedToPaid: "onAppInstancePlanConvertedToPaid",
  PlanReactivated: "onAppInstancePlanReactivated",
  PlanTransferred: "onAppInstancePlanTransferred",
};

// clientOf returns a client whose eight handlers append their events to handled.
function clientOf(publicKey, handled) {
  const client = createClient({
    auth: AppStrategy({ appId, publicKey }),
    modules: { appInstances },
  });
  for (const [type, name] of Object.entries(handlers)) {
    client.appInstances[name]((event) => void handled.push({ type, ...event }));
  }
  return client;
}

let publicKey;
const receiver = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const jwt = Buffer.concat(chunks).toString();
  const handled = [];
  try {
    assert.equal(request.method, "POST");
    assert.match(request.headers["content-type"], /^text\/plain\b/);
    await clientOf(publicKey, handled).webhooks.process(jwt);
    response.end();
    receiver.emit("webhook", { jwt, handled });
  } catch (error) {
    response.writeHead(500).end();
    receiver.emit("webhook", { jwt, error });
  }
});
const arrivals = on(receiver, "webhook");

// arrival waits for the next webhook.
async function arrival() {
  const { value } = await arrivals.next();
  return value[0];
}

// event waits for the next webhook, which must be accepted and reach one handler.
async function event() {
  const { error, handled } = await arrival();
  if (error) {
    throw error;
  }
  assert.equal(handled.length, 1);
  return handled[0];
}

before(async () => {
  publicKey = await sim.publicKey();
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  await sim.sendWebhooksTo(`http://127.0.0.1:${receiver.address().port}/webhook`);
});
afterEach(() => sim.clearWebhooks());
after(async () => {
  await sim.sendWebhooksTo("");
  receiver.closeAllConnections();
  receiver.close();
});

const metadata = (site) => ({
  instanceId: site.instanceId,
  identity: { identityType: "WIX_USER", wixUserId: site.ownerId },
  accountInfo: { accountId: site.accountId, siteId: site.siteId },
});
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// takeDates checks the two fields that the SDK converts to Date, and returns the rest.
function takeDates({ operationTimeStamp, expiresOn, ...rest }, { expires }) {
  assert.ok(operationTimeStamp instanceof Date);
  assert.ok(Math.abs(Date.now() - operationTimeStamp) < 60_000, `${operationTimeStamp} is not now`);
  if (expires) {
    const days = (expiresOn - operationTimeStamp) / 86_400_000;
    assert.ok(expiresOn instanceof Date && days > 364 && days < 367, `it lasts ${days} days`);
  } else {
    assert.equal(expiresOn, undefined);
  }
  return rest;
}

test("the events of a site arrive, and its app instance agrees with them", async () => {
  const origin = await sim.install({ siteDisplayName: "Bakery" });
  assert.deepEqual(await event(), {
    type: "AppInstalled",
    data: { appId },
    metadata: metadata(origin),
  });
  const site = await sim.install({ originInstanceId: origin.instanceId });
  assert.deepEqual(await event(), {
    type: "AppInstalled",
    data: { appId, originInstanceId: origin.instanceId },
    metadata: metadata(site),
  });

  const steps = [
    {
      change: {
        plan: "basic",
        billingCycle: "YEARLY",
        trial: "IN_PROGRESS",
        data: { couponName: "MAY" },
      },
      type: "PaidPlanPurchased",
      expires: true,
      data: { vendorProductId: "basic", cycle: "YEARLY", couponName: "MAY" },
    },
    {
      change: { trial: "ENDED" },
      type: "PlanConvertedToPaid",
      expires: true,
      data: { vendorProductId: "basic", cycle: "YEARLY" },
    },
    {
      change: { plan: "gold", billingCycle: "MONTHLY" },
      type: "PaidPlanChanged",
      data: {
        vendorProductId: "gold",
        cycle: "MONTHLY",
        previousVendorProductId: "basic",
        previousCycle: "YEARLY",
      },
      invoice: true,
    },
    {
      change: { autoRenewing: false },
      type: "PaidPlanAutoRenewalCancelled",
      data: {
        vendorProductId: "gold",
        cycle: "MONTHLY",
        cancelReason: "USER_CANCEL",
        userReason: "Not needed any more",
        subscriptionCancellationType: "AT_END_OF_PERIOD",
        cancelledDuringFreeTrial: "NOT_DURING_FREE_TRIAL",
      },
    },
    {
      change: { autoRenewing: true },
      type: "PlanReactivated",
      data: { vendorProductId: "gold", cycle: "MONTHLY", reason: "AUTO_RENEW_TURNED_ON" },
      invoice: true,
    },
    {
      change: { event: "PlanTransferred" },
      type: "PlanTransferred",
      data: { vendorProductId: "gold", cycle: "MONTHLY" },
      invoice: true,
    },
  ];
  for (const step of steps) {
    await sim.plan(site.instanceId, step.change);
    const got = await event();
    assert.equal(got.type, step.type);
    assert.deepEqual(got.metadata, metadata(site));
    const { invoiceId, ...data } = takeDates(got.data, step);
    assert.deepEqual(data, step.data);
    if (step.invoice) {
      assert.match(invoiceId, guid);
    } else {
      assert.equal(invoiceId, undefined);
    }

    const auth = AppStrategy({
      appId,
      appSecret: process.env.WIX_APP_SECRET,
      instanceId: site.instanceId,
    });
    const { instance } = await createClient({
      auth,
      modules: { appInstances },
    }).appInstances.getAppInstance();
    assert.equal(instance.billing.packageName, step.data.vendorProductId);
    assert.equal(instance.billing.billingCycle, step.data.cycle);
    assert.equal(instance.billing.autoRenewing, step.type !== "PaidPlanAutoRenewalCancelled");
    if (step.expires) {
      assert.equal(instance.billing.expirationDate, got.data.expiresOn.toISOString());
    }
    if (step.invoice) {
      assert.equal(instance.billing.invoiceId, invoiceId);
    }
  }

  await sim.uninstall(site.instanceId);
  assert.deepEqual(await event(), {
    type: "AppRemoved",
    data: { appId },
    metadata: metadata(site),
  });
});

describe("an event sent by command", () => {
  for (const type of Object.keys(handlers)) {
    test(`${type} reaches its handler, delivered`, async () => {
      await sim.webhook({ eventType: type, data: { more: "x" }, duplicates: 1 });
      const [first, second] = [await event(), await event()];
      assert.equal(first.type, type);
      assert.equal(first.data.more, "x");
      assert.deepEqual(second, first);
      let deliveries;
      do {
        deliveries = await sim.webhooks();
      } while (deliveries.some((d) => d.state === "pending"));
      assert.deepEqual(
        deliveries.map((d) => [d.eventType, d.state, d.attempts.map((a) => a.status)]),
        [
          [type, "delivered", [200]],
          [type, "delivered", [200]],
        ],
      );
    });
  }

  const refusals = [
    ["changed after it was signed", { forge: "tampered" }, /signature verification failed/],
    ["signed with another key", { forge: "wrong-key" }, /signature verification failed/],
    ["in JSON's quotes", { forge: "quoted" }, /signature verification failed/],
    ["not signed", { forge: "unsigned" }, /alg none is not supported/],
    ["signed with the public key as a secret", { forge: "hs256" }, /symmetric algorithms/],
    ["expired", { ttl: "-1s" }, /"exp" claim timestamp check failed/],
    ["with data that is no JSON", { data: "{not JSON" }, /JSON/],
    ["of a type without a handler", { eventType: "InvoiceStatusUpdated" }, /Unexpected event type/],
  ];
  for (const [name, request, reason] of refusals) {
    test(`is refused, and stays pending: ${name}`, async () => {
      const { ids } = await sim.webhook({ eventType: "AppRemoved", ...request });
      const { error } = await arrival();
      assert.match(String(error), reason);
      let delivery;
      do {
        delivery = (await sim.webhooks()).find((d) => d.id === ids[0]);
      } while (delivery.attempts.length === 0);
      assert.equal(delivery.state, "pending");
      assert.equal(delivery.attempts[0].status, 500);
    });
  }
});

test("the key is accepted as PEM, indented PEM and base64 of the PEM; another key is not", async () => {
  await sim.webhook({ eventType: "AppInstalled" });
  const { jwt } = await arrival();
  const accepted = [
    publicKey,
    publicKey.replace(/^/gm, "    "),
    Buffer.from(publicKey).toString("base64"),
  ];
  for (const key of accepted) {
    const handled = [];
    const got = await clientOf(key, handled).webhooks.process(jwt);
    assert.equal(got.eventType, "AppInstalled");
    assert.equal(handled.length, 1);
  }
  const other = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const spki = Buffer.from(await crypto.subtle.exportKey("spki", other.publicKey)).toString(
    "base64",
  );
  const otherKey = `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----`;
  const handled = [];
  await assert.rejects(clientOf(otherKey, handled).webhooks.process(jwt));
  assert.equal(handled.length, 0);
});
