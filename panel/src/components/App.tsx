// The panel's frame: header, scrolling content, and the one state in which there is no form at all.
import { Heading, SidePanel, WixDesignSystemProvider } from "@wix/design-system";
import type { ReactNode } from "react";
import type { Messages } from "../messages";
import { AboutSection } from "./AboutSection";
import type { Panel } from "./context";
import { MessagesContext, PanelContext, useStore } from "./context";
import { NoEditor } from "./NoEditor";
import { SiteSection } from "./SiteSection";
import { WidgetSection } from "./WidgetSection";

/** panel is null where nothing frames the page. */
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
  const { status } = useStore(panel.widget.state);
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
      <AboutSection />
    </Scroll>
  );
}

const Scroll = ({ children }: { children: ReactNode }) => (
  <SidePanel.Content noPadding stretchVertically={false}>
    {children}
  </SidePanel.Content>
);
