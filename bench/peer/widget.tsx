// The documented React widget: react-to-webcomponent around a component, the token
// through @wix/site, the request through @wix/essentials.
import { httpClient } from "@wix/essentials";
import { createClient } from "@wix/sdk";
import { site } from "@wix/site";
import React, { useEffect, useState } from "react";
import * as ReactDOM from "react-dom/client";
import reactToWebComponent from "react-to-webcomponent";
import { tag } from "../../app.json";

const client = createClient({
  auth: site.auth(),
  host: site.host({ applicationId: "00000000-0000-4000-8000-000000000000" }),
});

client.enableContext("global");

type Answer = { instance?: { siteDisplayName?: string } };

function Widget({ displayName, apiBase }: { displayName?: string; apiBase: string }) {
  const [answer, setAnswer] = useState<Answer>();
  useEffect(() => {
    httpClient
      .fetchWithAuth(new URL("get-instance", apiBase).href)
      .then((response) => response.json())
      .then(setAnswer);
  }, [apiBase]);
  return (
    <div>
      <p>Hello {displayName ?? "friend"}</p>
      <p>{answer ? `Connected to ${answer.instance?.siteDisplayName}` : "Connecting…"}</p>
    </div>
  );
}

const Element = reactToWebComponent(Widget, React, ReactDOM, {
  props: { displayName: "string", apiBase: "string" },
});
Object.assign(Element.prototype, { accessTokenListener: client.auth.getAccessTokenInjector() });
customElements.define(tag, Element as unknown as CustomElementConstructor);
