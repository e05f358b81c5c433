// The packages' type declarations list the fields that Wix sends. The offline Wix sends
// exactly these.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import { appId, appSecret, sim } from "./wix.mjs";

// declared returns the names of an interface's fields.
function declared(source, name) {
  const start = source.indexOf(`interface ${name} {`);
  assert.notEqual(start, -1, `${name} is no longer declared`);
  const text = source.slice(start, source.indexOf("\n}", start));
  const fields = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").matchAll(/^ {4}(\w+)\??:/gm);
  return Array.from(fields, (m) => m[1]).sort();
}

// typings reads the declarations of a package, resolved through the dependencies in via.
function typings(packageName, via) {
  const { resolve } = via.reduce(
    (at, name) => createRequire(at.resolve(name)),
    createRequire(import.meta.url),
  );
  const root = dirname(resolve(`${packageName}/package.json`));
  return readFileSync(join(root, "build/es/index.typings.d.mts"), "utf8");
}

test("token-info has exactly the declared fields", async () => {
  const { instanceId } = await sim.install({ plan: "premium" });
  const accessToken = await sim.token({ subject: "VISITOR", instanceId });
  const info = await AppStrategy({ appId, appSecret, accessToken }).getTokenInfo();
  const source = typings("@wix/auto_sdk_identity_oauth", ["@wix/sdk", "@wix/identity"]);
  assert.deepEqual(Object.keys(info).sort(), declared(source, "TokenInfoResponse"));
});

test("the app instance has exactly the declared fields", async () => {
  const origin = await sim.install({});
  // With all of this, every optional field is present.
  const { instanceId } = await sim.install({
    plan: "premium",
    billingCycle: "YEARLY",
    trial: "ENDED",
    originInstanceId: origin.instanceId,
    languages: ["en", "fr"],
  });
  const auth = AppStrategy({ appId, appSecret, instanceId });
  const client = createClient({ auth, modules: { appInstances } });
  const { instance, site } = await client.appInstances.getAppInstance();
  const source = typings("@wix/auto_sdk_app-management_app-instances", ["@wix/app-management"]);
  const language = site.multilingual.supportedLanguages[1];
  for (const [name, object] of Object.entries({
    AppInstance: instance,
    BillingInfo: instance.billing,
    FreeTrialInfo: instance.billing.freeTrialInfo,
    AvailablePlan: instance.availablePlans[0],
    SiteInfo: site,
    OwnerInfo: site.ownerInfo,
    Multilingual: site.multilingual,
    SupportedLanguage: language,
    Locale: language.locale,
  })) {
    const fields = declared(source, name);
    assert.ok(fields.length > 0, `${name} declares nothing`);
    assert.deepEqual(Object.keys(object).sort(), fields, name);
  }
});
