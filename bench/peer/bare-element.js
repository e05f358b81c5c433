// The limit of a widget: an element that passes the token on and shows the answer.
import { tag } from "../../app.json";

customElements.define(
  tag,
  class extends HTMLElement {
    accessTokenListener = async (token) => {
      const url = new URL("get-instance", this.getAttribute("api-base"));
      const answer = await fetch(url, { headers: { Authorization: await token() } });
      this.textContent = (await answer.json()).instance?.siteDisplayName;
    };
    connectedCallback() {
      this.textContent = "Hello";
    }
  },
);
