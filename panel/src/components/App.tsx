// The panel's frame: header, scrolling content, and the one state without a form.
import { Heading, SidePanel, WixDesignSystemProvider } from "@wix/design-system";
import type { ReactNode } from "react";
import type { Messages } from "../messages";
import { AboutSection } from "./AboutSection";
import type { Panel } from "./context";
import { MessagesContext, PanelContext, useSignal } from "./context";
import { GuestsSection } from "./GuestsSection";
import { NoEditor } from "./NoEditor";
import { SiteSection } from "./SiteSection";
import { WidgetSection } from "./WidgetSection";

/** panel is null when the page is not in a frame. */
export function App({ panel, messages }: { panel: Panel | null; messages: Messages }) {
  return (
    <WixDesignSystemProvider as="div" className="panel">
      <MessagesContext.Provider value={messages}>
        <main className="panel">
          <SidePanel width="100%" height="100%">
            <SidePanel.Header
              title={
                <Heading as="h1" size="medium" className="title">
                  {messages.title}
                </Heading>
              }
            />
            {panel ? (
              <PanelContext.Provider value={panel}>
                <Content panel={panel} />
              </PanelContext.Provider>
            ) : (
              <Scroll>
                <NoEditor />
              </Scroll>
            )}
          </SidePanel>
        </main>
      </MessagesContext.Provider>
    </WixDesignSystemProvider>
  );
}

function Content({ panel }: { panel: Panel }) {
  const { status } = useSignal(panel.widget.state);
  if (status === "no-editor") {
    return (
      <Scroll>
        <NoEditor reload />
      </Scroll>
    );
  }
  return (
    <Scroll>
      <WidgetSection />
      <SiteSection />
      <GuestsSection />
      <AboutSection />
    </Scroll>
  );
}

const Scroll = ({ children }: { children: ReactNode }) => (
  <SidePanel.Content noPadding stretchVertically={false}>
    {children}
  </SidePanel.Content>
);
