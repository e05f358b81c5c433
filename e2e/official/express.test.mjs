// The backends that Wix documents for a self-hosted widget, on Express with cors(): one that
// takes the instance's id for its own database, one that elevates by the SDK, one by REST.

import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import cors from "cors";
import express from "express";
import { appId, appSecret, sim } from "./wix.mjs";

const wix = "https://www.wixapis.com";

async function json(path, init = {}) {
  const answer = await fetch(wix + path, init);
  if (!answer.ok) {
    throw new Error(`${path}: status ${answer.status}`);
  }
  return answer.json();
}

const post = (path, body) =>
  json(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

const backends = {
  database: async (token) => {
    const { instanceId } = await post("/oauth2/token-info", { token });
    return { status: instanceId ? "Success" : "No instance ID" };
  },
  sdk: async (accessToken) => {
    const auth = await AppStrategy({ appId, appSecret, accessToken }).elevated();
    return createClient({ auth, modules: { appInstances } }).appInstances.getAppInstance();
  },
  // The article spells the field instanceId here.
  rest: async (token) => {
    const { instanceId } = await post("/oauth2/token-info", { token });
    const { access_token } = await post("/oauth2/token", {
      grant_type: "client_credentials",
      client_id: appId,
      client_secret: appSecret,
      instanceId,
    });
    return json("/apps/v1/instance", { headers: { Authorization: `Bearer ${access_token}` } });
  },
};

let url;
let server;
before(async () => {
  const app = express();
  app.use(cors());
  for (const [name, answer] of Object.entries(backends)) {
    app.get(`/${name}/get-instance`, async (incoming, response) => {
      try {
        response.json(await answer(incoming.headers.authorization));
      } catch {
        response.status(500).json({ error: "Failed to process request" });
      }
    });
  }
  server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

/** Asks a backend. The global fetch leads to Wix alone here. */
function ask(name, token) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: token };
    const asked = request(`${url}/${name}/get-instance`, { headers }, async (response) => {
      let text = "";
      for await (const chunk of response) {
        text += chunk;
      }
      resolve({ status: response.statusCode, body: JSON.parse(text) });
    });
    asked.on("error", reject);
    asked.end();
  });
}

for (const name of Object.keys(backends)) {
  test(`${name}: a visitor's token shows the site`, async () => {
    const site = await sim.install({ siteDisplayName: `Site of ${name}` });
    const token = await sim.token({ subject: "VISITOR", instanceId: site.instanceId });
    const { status, body } = await ask(name, token);
    assert.equal(status, 200);
    if (name === "database") {
      assert.deepEqual(body, { status: "Success" });
    } else {
      assert.equal(body.instance.instanceId, site.instanceId);
      assert.equal(body.site.siteDisplayName, `Site of ${name}`);
    }
  });

  test(`${name}: a token of a site that has removed the app does not`, async () => {
    const site = await sim.install({});
    const token = await sim.token({ subject: "VISITOR", instanceId: site.instanceId });
    await sim.uninstall(site.instanceId);
    const { status, body } = await ask(name, token);
    if (name === "database") {
      assert.deepEqual({ status, body }, { status: 200, body: { status: "No instance ID" } });
    } else {
      assert.deepEqual(
        { status, body },
        { status: 500, body: { error: "Failed to process request" } },
      );
    }
  });
}
