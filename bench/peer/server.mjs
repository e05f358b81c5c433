// The peer: the backend as Wix documents it, on Express with cors() and the SDK's
// AppStrategy (Identify the App Instance in a Self-Hosted Site Widget), with the
// official packages unmodified. Only their way to Wix leads to the offline one.
import { appInstances } from "@wix/app-management";
import { AppStrategy, createClient } from "@wix/sdk";
import cors from "cors";
import express from "express";

const { WIX_URL, APP_ID: appId, APP_SECRET: appSecret } = process.env;
const wixOrigin = "https://www.wixapis.com";
const realFetch = globalThis.fetch;
globalThis.fetch = (input, init) =>
  realFetch(
    String(input).replace(wixOrigin, () => WIX_URL),
    init,
  );

const app = express();
app.use(cors());

app.get("/api/get-instance", async (req, res) => {
  try {
    const answer = await fetch(`${wixOrigin}/oauth2/token-info`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: req.headers.authorization }),
    });
    const { instanceId } = await answer.json();
    res.json(await queryDatabase(instanceId));
  } catch {
    res.status(500).json({ error: "Failed to process request" });
  }
});

app.get("/api/get-instance-data", async (req, res) => {
  try {
    const accessToken = req.headers.authorization;
    const auth = await AppStrategy({ appId, appSecret, accessToken }).elevated();
    const client = createClient({ auth, modules: { appInstances } });
    res.json(await client.appInstances.getAppInstance());
  } catch {
    res.status(500).json({ error: "Failed to process request" });
  }
});

// In the place of a database, as in the documented sample.
async function queryDatabase(instanceId) {
  return { status: instanceId ? "Success" : "No instance ID." };
}

const server = app.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
