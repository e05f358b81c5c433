// A settings panel that uses the unmodified @wix/editor for what identifies the site.
import { application, editor } from "@wix/editor";
import { createClient } from "@wix/sdk";

const client = createClient({
  auth: editor.auth(),
  host: editor.host(),
  modules: { application },
});

const { headers } = await client.auth.getAuthHeaders();
document.body.textContent = JSON.stringify({
  answered: await client.application.getAppInstance(),
  inUrl: new URLSearchParams(location.search).get("instance"),
  token: headers.Authorization,
});
