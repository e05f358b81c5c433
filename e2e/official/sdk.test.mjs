// Wix's own packages, unmodified, work with the offline Wix as with the real one.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import { appId, appSecret, sim } from "./wix.mjs";

const tokenInfo = "POST /oauth2/token-info 200";
const token = "POST /oauth2/token 200";
const instance = "GET /apps/v1/instance 200";

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const requestId = /^\d{10}\.\d{20}$/;
const someone = "00000000-0000-4000-8000-000000000000";

const strategy = (accessToken, secret = appSecret) =>
  AppStrategy({ appId, appSecret: secret, accessToken });
const clientOf = (auth) => createClient({ auth, modules: { appInstances } });

let site;
before(async () => {
  site = await sim.install({ siteDisplayName: "Bakery" });
});

describe("a visitor's token, elevated", () => {
  test("reads the app instance of a free site", async () => {
    const accessToken = await sim.token({ subject: "VISITOR", instanceId: site.instanceId });
    const auth = await strategy(accessToken).elevated();
    const got = await clientOf(auth).appInstances.getAppInstance();
    assert.deepEqual(Object.keys(got).sort(), ["instance", "site"]);
    assert.equal(got.instance.instanceId, site.instanceId);
    assert.equal(got.instance.isFree, true);
    assert.equal(got.instance.freeTrialAvailable, true);
    assert.equal(got.instance.billing, undefined);
    assert.equal(got.instance.originInstanceId, undefined);
    assert.equal(got.site.siteId, site.siteId);
    assert.equal(got.site.siteDisplayName, "Bakery");
    assert.equal(got.site.ownerInfo.email, "owner@example.com");
    assert.deepEqual(got.site.multilingual, { isMultiLingual: false });
    assert.match(got.site.url, /^https:/);
  });

  test("reads a plan, with its dates, after a trial", async () => {
    const paid = await sim.install({ plan: "premium", billingCycle: "YEARLY", trial: "ENDED" });
    const accessToken = await sim.token({ subject: "MEMBER", instanceId: paid.instanceId });
    const auth = await strategy(accessToken).elevated();
    const { billing, isFree } = (await clientOf(auth).appInstances.getAppInstance()).instance;
    const day = 24 * 60 * 60 * 1000;
    const bought = Date.parse(paid.installedAt) - 30 * day;
    assert.equal(isFree, false);
    assert.equal(billing.packageName, "premium");
    assert.equal(billing.billingCycle, "YEARLY");
    assert.equal(billing.autoRenewing, true);
    assert.match(billing.invoiceId, guid);
    assert.equal(billing.timeStamp, new Date(bought).toISOString());
    assert.ok(Date.parse(billing.expirationDate) > bought + 364 * day);
    assert.equal(billing.freeTrialInfo.status, "ENDED");
    assert.ok(billing.freeTrialInfo.endDate instanceof Date);
    assert.equal(billing.freeTrialInfo.endDate.getTime(), bought + 14 * day);
  });

  test("reads a running trial, which has no end yet", async () => {
    const trial = await sim.install({ plan: "premium", trial: "IN_PROGRESS" });
    const auth = AppStrategy({ appId, appSecret, instanceId: trial.instanceId });
    const { billing } = (await clientOf(auth).appInstances.getAppInstance()).instance;
    assert.equal(billing.freeTrialInfo.status, "IN_PROGRESS");
    assert.equal(billing.freeTrialInfo.endDate, undefined);
  });

  test("reads an unpublished, multilingual copy", async () => {
    const copy = await sim.install({
      originInstanceId: site.instanceId,
      languages: ["he", "en"],
      unpublished: true,
    });
    const auth = AppStrategy({ appId, appSecret, instanceId: copy.instanceId });
    const got = await clientOf(auth).appInstances.getAppInstance();
    assert.equal(got.instance.originInstanceId, site.instanceId);
    assert.equal(got.site.siteDisplayName, "Copy of Bakery");
    assert.equal(got.site.url, undefined);
    assert.equal(got.site.locale, "he");
    assert.deepEqual(
      got.site.multilingual.supportedLanguages.map((l) => [l.languageCode, l.isPrimary]),
      [
        ["he", true],
        ["en", false],
      ],
    );
  });

  test("calls Wix in this order, and caches the app's token", async () => {
    const accessToken = await sim.token({ subject: "VISITOR", instanceId: site.instanceId });
    const client = clientOf(await strategy(accessToken).elevated());
    await client.appInstances.getAppInstance();
    await client.appInstances.getAppInstance();
    assert.deepEqual(await sim.calls(), [tokenInfo, token, instance, instance]);
  });
});

describe("getTokenInfo", () => {
  const lifetime = 4 * 60 * 60;
  for (const subject of ["VISITOR", "MEMBER", "USER", "APP"]) {
    test(`returns the facts of a token of ${subject}`, async () => {
      const accessToken = await sim.token({ subject, instanceId: site.instanceId });
      const { subjectId, accountId, iat, exp, ...info } =
        await strategy(accessToken).getTokenInfo();
      assert.deepEqual(info, {
        active: true,
        subjectType: subject,
        clientId: appId,
        siteId: site.siteId,
        instanceId: site.instanceId,
      });
      assert.match(subjectId, guid);
      assert.match(accountId, guid);
      assert.equal(exp - iat, lifetime);
      assert.ok(Math.abs(iat - Date.now() / 1000) < 60);
    });
  }

  for (const [name, request] of Object.entries({
    expired: { ttl: "-1s" },
    withdrawn: { active: false },
  })) {
    test(`returns that a token is inactive when it is ${name}`, async () => {
      const accessToken = await sim.token({ subject: "USER", ...request });
      assert.deepEqual(await strategy(accessToken).getTokenInfo(), { active: false });
    });
  }

  test("fails on any other status than 200", async () => {
    await sim.fault({ endpoint: "token-info", status: 503 });
    const accessToken = await sim.token({ subject: "USER" });
    await assert.rejects(strategy(accessToken).getTokenInfo(), {
      message: "Failed to get token info. Unexpected status code from Wix OAuth API: 503",
    });
  });
});

describe("the SDK refuses", () => {
  const foreign = `Invalid access token. The token is not issued for the app with ID "${appId}"`;
  for (const [name, request, message] of [
    ["a token of another app", { subject: "VISITOR", appId: someone }, foreign],
    ["a token that is not active", { subject: "VISITOR", active: false }, foreign],
    [
      "a token without an instance",
      { subject: "VISITOR", noInstance: true },
      "Unexpected token info. The token does not contain instance ID",
    ],
  ]) {
    test(name, async () => {
      const accessToken = await sim.token(request);
      await assert.rejects(strategy(accessToken).elevated(), { message });
      assert.deepEqual(await sim.calls(), [tokenInfo]);
    });
  }

  test("a forged token", async () => {
    const accessToken = await sim.token({ subject: "VISITOR" });
    const forged = accessToken.replace(/\.[^.]+$/, `.${"A".repeat(43)}`);
    await assert.rejects(strategy(forged).elevated(), { message: foreign });
  });
});

describe("the exchange for the app's token fails", () => {
  // The SDK's error has the status and Wix's request id. A module call would replace it by
  // "System error occurred: {}", so these tests call the strategy directly.
  const failure = (status) => (error) => {
    const start = `Failed to exchange instance ID for access token. Unexpected status code from Wix OAuth API: ${status}, request id: `;
    assert.ok(error.message.startsWith(start), error.message);
    assert.match(error.message.slice(start.length), requestId);
    return true;
  };
  test("with a wrong secret", async () => {
    const accessToken = await sim.token({ subject: "VISITOR" });
    const auth = await strategy(accessToken, someone).elevated();
    await assert.rejects(auth.getAuthHeaders(), failure(401));
    assert.deepEqual(await sim.calls(), [tokenInfo, "POST /oauth2/token 401"]);
  });
  test("with another app's id", async () => {
    const auth = AppStrategy({ appId: someone, appSecret, instanceId: site.instanceId });
    await assert.rejects(auth.getAuthHeaders(), failure(401));
  });
  test("for an instance that is not installed", async () => {
    await assert.rejects(
      AppStrategy({ appId, appSecret, instanceId: someone }).getAuthHeaders(),
      failure(404),
    );
  });
  test("while Wix limits the rate", async () => {
    await sim.fault({ endpoint: "token", status: 429, retryAfter: 1 });
    const auth = AppStrategy({ appId, appSecret, instanceId: site.instanceId });
    await assert.rejects(auth.getAuthHeaders(), failure(429));
  });
  test("during an outage of Wix", async () => {
    await sim.fault({ outage: true });
    const auth = AppStrategy({ appId, appSecret, instanceId: site.instanceId });
    await assert.rejects(auth.getAuthHeaders(), { name: "TypeError", message: "fetch failed" });
  });
});

test("a forgotten instance gives a token of the app alone, which reads no app instance", async () => {
  const auth = AppStrategy({ appId, appSecret, instanceId: undefined });
  await assert.rejects(clientOf(auth).appInstances.getAppInstance());
  assert.deepEqual(await sim.calls(), ["POST /oauth2/token 200", "GET /apps/v1/instance 404"]);
});

describe("a token that is not elevated is unbound from its session first", () => {
  test("the owner may read the app instance, and the unbound token is cached", async () => {
    const accessToken = await sim.token({ subject: "USER", instanceId: site.instanceId });
    const client = clientOf(strategy(accessToken));
    const got = await client.appInstances.getAppInstance();
    await client.appInstances.getAppInstance();
    assert.equal(got.instance.instanceId, site.instanceId);
    assert.deepEqual(await sim.calls(), [token, instance, instance]);
  });
  test("a visitor may not", async () => {
    const accessToken = await sim.token({ subject: "VISITOR" });
    const read = clientOf(strategy(accessToken)).appInstances.getAppInstance();
    await assert.rejects(read, { status: 403 });
    assert.deepEqual(await sim.calls(), [token, "GET /apps/v1/instance 403"]);
  });
  test("a wrong secret fails", async () => {
    const accessToken = await sim.token({ subject: "USER" });
    await assert.rejects(strategy(accessToken, someone).getAuthHeaders(), {
      message:
        /^Failed to get unbound token\. Unexpected status code from Wix OAuth API: 401, request id: \d+\.\d+$/,
    });
  });
});

describe("the SDK parses the errors of the app instance", () => {
  // read returns the SDK's error, which must have a request id.
  const read = async (client) => {
    const error = await client.appInstances.getAppInstance().then(
      () => assert.fail("the call succeeded"),
      (e) => e,
    );
    assert.match(error.requestId, requestId);
    return error;
  };
  const app = () => clientOf(AppStrategy({ appId, appSecret, instanceId: site.instanceId }));

  test("an applicationError", async () => {
    const accessToken = await sim.token({ subject: "VISITOR" });
    const error = await read(clientOf(strategy(accessToken)));
    assert.equal(error.status, 403);
    assert.deepEqual(error.details.applicationError, {
      code: "PERMISSION_DENIED",
      description: "Only the app or a Wix user may read the app instance",
      data: {},
    });
    assert.deepEqual(JSON.parse(error.message).details.applicationError.code, "PERMISSION_DENIED");
  });

  test("a client error without details", async () => {
    const gone = await sim.install({});
    const client = clientOf(AppStrategy({ appId, appSecret, instanceId: gone.instanceId }));
    await client.appInstances.getAppInstance();
    await sim.uninstall(gone.instanceId); // which ends the app's token that the SDK has cached
    const error = await read(client);
    assert.equal(error.status, 401);
    assert.equal(JSON.parse(error.message).message, "Access token is missing, wrong or expired");
  });

  test("a validationError", async () => {
    const violation = { field: "x", description: "must be y", violatedRule: "OTHER", data: {} };
    const details = { validationError: { fieldViolations: [violation] } };
    await sim.fault({
      endpoint: "instance",
      status: 400,
      body: JSON.stringify({ message: "x must be y", details }),
    });
    const error = await read(app());
    assert.equal(error.status, 400);
    assert.equal(error.details.validationError.fieldViolations[0].description, "must be y");
  });

  test("a system error", async () => {
    await sim.fault({ endpoint: "instance", status: 500 });
    const error = await read(app());
    assert.equal(error.status, 500);
    assert.match(error.message, new RegExp(error.requestId));
  });

  test("a proxy's error in HTML", async () => {
    await sim.fault({ endpoint: "instance", status: 502, body: "<h1>Bad Gateway</h1>" });
    assert.equal((await read(app())).status, 502);
  });

  test("a truncated answer", async () => {
    await sim.fault({ endpoint: "instance", hangUp: true, body: '{"instance":{' });
    await assert.rejects(app().appInstances.getAppInstance(), { name: "TypeError" });
    assert.deepEqual(await sim.calls(), [token, instance]);
  });
});
