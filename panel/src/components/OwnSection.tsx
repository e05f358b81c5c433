// A section that the app draws itself, while it is loading, and why it could not be loaded.
import { SidePanel, Text } from "@wix/design-system";
import { kindOf } from "../fault";
import type { Panel } from "./context";
import { useMessages, usePanel, useSignal } from "./context";
import { FaultBox } from "./FaultBox";
import { Loading } from "./Loading";

export function OwnSection({ section: { Body }, loader }: Panel["own"][number]) {
  const { unavailable } = useMessages();
  const { api, site } = usePanel();
  const state = useSignal(loader.state);
  const siteState = useSignal(site.state);
  const reload = () => void loader.load();
  switch (state.status) {
    case "loading":
      return <Loading fields={2} />;
    case "ready":
      return <Body data={state.data} api={api} reload={reload} />;
    case "failed":
      // A notice that is above already is not repeated. Its retry loads this too.
      if (siteState.status === "failed" && kindOf(siteState.fault) === kindOf(state.fault)) {
        return (
          <SidePanel.Field>
            <Text size="small" secondary>
              {unavailable}
            </Text>
          </SidePanel.Field>
        );
      }
      return <FaultBox fault={state.fault} retry={reload} />;
  }
}
