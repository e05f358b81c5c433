// "All widgets on this site": the settings that the server stores for every widget at once.
import { SidePanel } from "@wix/design-system";
import type { SiteState } from "../siteModel";
import { Conflict } from "./Conflict";
import { useMessages, usePanel, useSignal } from "./context";
import { FaultBox } from "./FaultBox";
import { GreetingForm } from "./GreetingForm";
import { Loading } from "./Loading";

export function SiteSection() {
  const { site: words } = useMessages();
  const { site } = usePanel();
  const state = useSignal(site.state);
  return (
    <SidePanel.Section title={words.title} as="h2">
      <Body state={state} />
      <span role="status" className="unseen">
        {spoken(state, words)}
      </span>
    </SidePanel.Section>
  );
}

function Body({ state }: { state: SiteState }) {
  const { site, instance, guests } = usePanel();
  switch (state.status) {
    case "loading":
      return <Loading fields={1} />;
    case "failed":
      return (
        <FaultBox
          fault={state.fault}
          retry={() => {
            void site.load();
            void instance.load();
            void guests.load();
          }}
        />
      );
    case "conflict":
      return <Conflict theirs={state.theirs.settings.greeting} mine={state.draft} />;
    default:
      return <GreetingForm state={state} />;
  }
}

function spoken(state: SiteState, words: { saving: string; saved: string }): string {
  if (state.status === "saving") {
    return words.saving;
  }
  return state.status === "saved" ? words.saved : "";
}
