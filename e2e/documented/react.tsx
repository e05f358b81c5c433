// The React widget that Wix documents: a component in react-to-webcomponent, the token by
// @wix/site, the request by @wix/essentials.
import { httpClient } from "@wix/essentials";
import { createClient } from "@wix/sdk";
import { site } from "@wix/site";
import React, { useEffect, useState } from "react";
import * as ReactDOM from "react-dom/client";
import reactToWebComponent from "react-to-webcomponent";

const parameters = new URL(import.meta.url).searchParams;
const backend = parameters.get("backend");
const applicationId = parameters.get("app") ?? "";

const client = createClient({ auth: site.auth(), host: site.host({ applicationId }) });
client.enableContext("global");

function Widget({ displayName }: { displayName?: string }) {
  const [answer, setAnswer] = useState<unknown>();
  useEffect(() => {
    httpClient
      .fetchWithAuth(`${backend}/api/get-instance-data`)
      .then((response) => response.json())
      .then(setAnswer);
  }, []);
  return (
    <p>
      Hello {displayName}. {answer ? JSON.stringify(answer) : "Connecting…"}
    </p>
  );
}

const Element = reactToWebComponent(Widget, React, ReactDOM, { props: { displayName: "string" } });
Object.assign(Element.prototype, { accessTokenListener: client.auth.getAccessTokenInjector() });
customElements.define("documented-react", Element as unknown as CustomElementConstructor);
