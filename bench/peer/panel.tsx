// The documented settings panel: Wix's Design System and the editor's widget module.
import { FormField, Input, SidePanel, WixDesignSystemProvider } from "@wix/design-system";
import "@wix/design-system/styles.global.css";
import { editor, widget } from "@wix/editor";
import { createClient } from "@wix/sdk";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

const client = createClient({ auth: editor.auth(), host: editor.host(), modules: { widget } });

function Panel() {
  const [name, setName] = useState("");
  const [status, setStatus] = useState("");
  useEffect(() => {
    client.widget.getProp("display-name").then((value) => setName(value ?? ""));
    client
      .fetchWithAuth(new URL("../api/get-instance", document.baseURI).href)
      .then((response) => response.json())
      .then((answer: { status: string }) => setStatus(answer.status));
  }, []);
  return (
    <WixDesignSystemProvider>
      <SidePanel width="100%" height="100vh">
        <SidePanel.Header title="Settings" />
        <SidePanel.Content>
          <FormField label="Display name" infoContent={status}>
            <Input
              value={name}
              onChange={(event) => {
                setName(event.target.value);
                client.widget.setProp("display-name", event.target.value);
              }}
            />
          </FormField>
        </SidePanel.Content>
      </SidePanel>
    </WixDesignSystemProvider>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(<Panel />);
