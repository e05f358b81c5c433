// The instance parameter, as Wix's page "Parse the App Instance Query Parameter" has it read:
// a signature and data, both in base64url without padding, with one dot between them; the
// signature is the HMAC-SHA256 of the data's text with the app's secret.

import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { before, test } from "node:test";
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import { appId, appSecret, sim } from "./wix.mjs";

let site;
let signed;
before(async () => {
  site = await sim.install({ siteDisplayName: "Bakery", plan: "gold" });
  signed = (subject) => sim.token({ subject, instanceId: site.instanceId, signedInstance: true });
});

function parse(text) {
  const [signature, data, ...more] = text.split(".");
  assert.deepEqual(more, []);
  const expected = createHmac("sha256", appSecret).update(data).digest("base64url");
  assert.ok(timingSafeEqual(Buffer.from(signature), Buffer.from(expected)));
  return JSON.parse(Buffer.from(data, "base64url").toString());
}

test("an owner's instance verifies with the app's secret", async () => {
  const got = parse(await signed("USER"));
  assert.equal(got.instanceId, site.instanceId);
  assert.equal(got.appDefId, appId);
  assert.equal(got.permissions, "OWNER");
  assert.equal(got.uid, site.ownerId);
  assert.equal(got.aid, undefined);
  assert.equal(got.vendorProductId, "gold");
  assert.ok(Math.abs(Date.parse(got.signDate) - Date.now()) < 60_000);
  assert.ok(Date.parse(got.expirationDate) > Date.now());
});

test("a visitor's instance has an aid and no permissions", async () => {
  const got = parse(await signed("VISITOR"));
  assert.equal(got.permissions, "");
  assert.ok(got.aid);
  assert.equal(got.uid, undefined);
});

test("token-info takes it as a token, and the SDK elevates it", async () => {
  const strategy = AppStrategy({ appId, appSecret, accessToken: await signed("USER") });
  const info = await strategy.getTokenInfo();
  assert.equal(info.active, true);
  assert.equal(info.subjectType, "USER");
  assert.equal(info.instanceId, site.instanceId);
  assert.equal(info.clientId, appId);
  const client = createClient({ auth: await strategy.elevated(), modules: { appInstances } });
  const { instance } = await client.appInstances.getAppInstance();
  assert.equal(instance.billing.packageName, "gold");
});

test("it ends with the installation", async () => {
  const accessToken = await signed("USER");
  await sim.uninstall(site.instanceId);
  const info = await AppStrategy({ appId, appSecret, accessToken }).getTokenInfo();
  assert.deepEqual(info, { active: false });
});
