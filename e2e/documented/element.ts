// A site widget as Wix documents it ("Identify the app instance in a self-hosted site
// widget"), with the unmodified @wix/sdk and @wix/site. All it has of ours is the
// backend's address, a parameter of its script URL.
import { createClient } from "@wix/sdk";
import { site } from "@wix/site";

const parameters = new URL(import.meta.url).searchParams;
const backend = parameters.get("backend") ?? "";
const applicationId = parameters.get("app") ?? "";

const client = createClient({
  auth: site.auth(),
  host: site.host({ applicationId }),
});

class DocumentedElement extends HTMLElement {
  accessTokenListener: unknown;

  constructor() {
    super();
    this.accessTokenListener = client.auth.getAccessTokenInjector();
  }

  async connectedCallback() {
    try {
      const answers = [];
      for (const name of ["get-instance", "get-instance-data"]) {
        const response = await client.fetchWithAuth(`${backend}/api/${name}`);
        answers.push({ status: response.status, body: await response.json() });
      }
      this.textContent = JSON.stringify(answers);
    } catch (error) {
      this.textContent = `failed: ${error}`;
    }
  }
}

customElements.define("documented-element", DocumentedElement);
