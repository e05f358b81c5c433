// An embedded script as Wix documents it: a classic script, which gets its token from
// wixEmbedsAPI through the unmodified @wix/site.
import { createClient } from "@wix/sdk";
import { site } from "@wix/site";

const { src } = document.currentScript as HTMLScriptElement;
const parameters = new URL(src).searchParams;

const client = createClient({
  auth: site.auth(),
  host: site.host({ applicationId: parameters.get("app") ?? "" }),
});

client
  .fetchWithAuth(`${parameters.get("backend")}/api/get-instance`)
  .then(({ status }) => String(status), String)
  .then((text) => {
    document.body.append(Object.assign(document.createElement("output"), { textContent: text }));
  });
