// A site widget that asks first where it is, as Wix's guide for custom elements demands, and
// asks its backend on the site only. It is written with the unmodified @wix/sdk, @wix/site
// and @wix/site-window.
import { createClient } from "@wix/sdk";
import { site } from "@wix/site";
import { window as wixWindow } from "@wix/site-window";

const parameters = new URL(import.meta.url).searchParams;
const backend = parameters.get("backend") ?? "";

const client = createClient({
  auth: site.auth(),
  host: site.host({ applicationId: parameters.get("app") ?? "" }),
  modules: { wixWindow },
});

class DocumentedElement extends HTMLElement {
  accessTokenListener = client.auth.getAccessTokenInjector();

  async connectedCallback() {
    try {
      const mode = await client.wixWindow.viewMode();
      this.textContent =
        mode === "Site"
          ? `Site ${(await client.fetchWithAuth(`${backend}/api/get-instance`)).status}`
          : mode;
    } catch (error) {
      this.textContent = `failed: ${error}`;
    }
  }
}

customElements.define("documented-element", DocumentedElement);
