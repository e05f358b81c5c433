// A dashboard page that asks its backend, with the unmodified @wix/dashboard.
import { dashboard } from "@wix/dashboard";
import { createClient } from "@wix/sdk";

const client = createClient({ auth: dashboard.auth(), host: dashboard.host() });
const parameters = new URLSearchParams(location.search);
const response = await client.fetchWithAuth(`${parameters.get("backend")}/api/get-instance`);
document.body.textContent = JSON.stringify({
  status: response.status,
  answer: await response.json(),
  instance: parameters.get("instance"),
});
