// The offline Wix with active and exp as strings, as Wix's REST page shows them. The SDK
// returns them unchanged, and elevates as usual.

import assert from "node:assert/strict";
import { test } from "node:test";
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import { appId, appSecret, sim } from "./wix.mjs";

test("token-info has strings", async () => {
  const accessToken = await sim.token({ subject: "VISITOR" });
  const info = await AppStrategy({ appId, appSecret, accessToken }).getTokenInfo();
  assert.equal(info.active, "true");
  assert.match(info.exp, /^\d{10}$/);
  assert.match(info.iat, /^\d{10}$/);
});

test("an inactive token is reported with a string", async () => {
  const accessToken = await sim.token({ subject: "VISITOR", active: false });
  const info = await AppStrategy({ appId, appSecret, accessToken }).getTokenInfo();
  assert.deepEqual(info, { active: "false" });
});

test("elevation works too", async () => {
  const accessToken = await sim.token({ subject: "VISITOR" });
  const auth = await AppStrategy({ appId, appSecret, accessToken }).elevated();
  const client = createClient({ auth, modules: { appInstances } });
  assert.equal((await client.appInstances.getAppInstance()).site.siteDisplayName, "My Wix Site");
});
