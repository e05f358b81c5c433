// Shared by the tests in this folder: redirects Wix's packages to the offline Wix, and
// calls its control API.

import { after, beforeEach } from "node:test";

const simURL = required("SIM_URL");
export const appId = required("WIX_APP_ID");
export const appSecret = required("WIX_APP_SECRET");

function required(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(
      `${name} is not set: go test ./backend/wixsim starts the offline Wix and runs these tests`,
    );
  }
  return value;
}

// Wix's packages have this origin hard-coded, without an option to change it. They look up
// the global fetch at each call, so replacing it redirects them. Nothing else of a request
// is changed.
const wixOrigin = "https://www.wixapis.com/";
const realFetch = globalThis.fetch;
globalThis.fetch = (input, init) => {
  if (typeof input !== "string" || !input.startsWith(wixOrigin)) {
    throw new Error("a package called something other than Wix's API");
  }
  return realFetch(`${simURL}/${input.slice(wixOrigin.length)}`, init);
};

async function control(method, path, body) {
  const res = await realFetch(`${simURL}/_sim/${path}`, {
    method,
    body: body && JSON.stringify(body),
  });
  const text = await res.text();
  if (!res.ok) {
    throw new Error(`${method} ${path} of the offline Wix: status ${res.status}: ${text}`);
  }
  return res.headers.get("Content-Type") === "application/json" ? JSON.parse(text) : text;
}

export const sim = {
  // token creates an access token: {subject, instanceId?, appId?, ttl?, active?, noInstance?}; or
  // the instance parameter: {subject, instanceId?, signedInstance: true}.
  token: async (request) => (await control("POST", "tokens", request)).token,
  install: (request) => control("POST", "installs", request),
  uninstall: (id) => control("DELETE", `installs/${id}`),
  // plan changes a plan: {plan?, billingCycle?, trial?, autoRenewing?, event?, data?, silent?}.
  plan: (id, change) => control("PUT", `installs/${id}/plan`, change),
  fault: (fault) => control("PUT", "faults", fault),
  publicKey: () => control("GET", "public-key"),
  sendWebhooksTo: (url) => control("PUT", "webhook-url", { url }),
  // webhook sends an event: {eventType, instanceId?, data?, forge?, ttl?, …}.
  webhook: (event) => control("POST", "webhooks", event),
  webhooks: () => control("GET", "webhooks"),
  clearWebhooks: () => control("DELETE", "webhooks"),
  // calls lists the calls so far: "POST /oauth2/token 200".
  calls: async () =>
    (await control("GET", "calls")).map((c) => `${c.method} ${c.path} ${c.status}`),
};

async function reset() {
  await control("DELETE", "faults");
  await control("DELETE", "calls");
}
beforeEach(reset);
after(reset);
