// The panel's frame: header, tabs or one list, and the one state without a form.
import { Button, Heading, SidePanel, WixDesignSystemProvider } from "@wix/design-system";
import type { ReactNode } from "react";
import { siteFields, tabbed, widgetFields } from "../fields";
import { needsOwner } from "../siteModel";
import { AboutSection } from "./AboutSection";
import type { Panel, Texts } from "./context";
import {
  PanelContext,
  TextsContext,
  useLanguageOf,
  useMessages,
  useSay,
  useSignal,
} from "./context";
import { NoEditor } from "./NoEditor";
import { OwnSection } from "./OwnSection";
import { Scroll } from "./Scroll";
import { SiteSection } from "./SiteSection";
import { Tabs } from "./Tabs";
import { WidgetSection } from "./WidgetSection";

/** panel is null when the page is not in a frame. */
export function App({ panel, texts }: { panel: Panel | null; texts: Texts }) {
  return (
    <WixDesignSystemProvider as="div" className="panel">
      <TextsContext.Provider value={texts}>
        <main className="panel">
          <SidePanel width="100%" height="100%">
            <SidePanel.Header
              showDivider={!tabbed || !panel}
              title={
                <Heading as="h1" size="medium" className="title">
                  {texts.messages.title}
                </Heading>
              }
              suffix={panel && <Upgrade panel={panel} />}
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
      </TextsContext.Provider>
    </WixDesignSystemProvider>
  );
}

/** The way to the app's plans, where there are any and none is paid for. */
function Upgrade({ panel }: { panel: Panel }) {
  const { upgrade, opensNewTab } = useMessages();
  const state = useSignal(panel.instance.state);
  const url = state.status === "ready" && state.data.upgradeUrl;
  return (
    url && (
      <Button
        as="a"
        size="tiny"
        skin="premium"
        href={url}
        target="_blank"
        rel="noopener"
        aria-label={`${upgrade} (${opensNewTab})`}
      >
        {upgrade}
      </Button>
    )
  );
}

function Content({ panel }: { panel: Panel }) {
  const messages = useMessages();
  const { status } = useSignal(panel.widget.state);
  const site = useSignal(panel.site.state);
  if (status === "no-editor") {
    return (
      <Scroll>
        <NoEditor reload />
      </Scroll>
    );
  }
  const parts = [
    {
      id: "widget",
      tab: messages.widget.title,
      shown: widgetFields.length > 0,
      body: (
        <Scope title={messages.widget.title}>
          <WidgetSection />
        </Scope>
      ),
    },
    {
      id: "site",
      tab: messages.site.tab,
      shown: siteFields.length > 0 || panel.own.length > 0,
      needsYou: needsOwner(site),
      body: (
        <>
          {siteFields.length > 0 && (
            <Scope title={messages.site.title}>
              <SiteSection />
            </Scope>
          )}
          {panel.own.map((own) => (
            <Own key={own.section.title.en} own={own} />
          ))}
        </>
      ),
    },
    {
      id: "about",
      tab: messages.about.tab,
      shown: true,
      body: (
        <Scope title={messages.about.title}>
          <AboutSection />
        </Scope>
      ),
    },
  ].filter(({ shown }) => shown);
  return tabbed ? (
    <Tabs parts={parts} />
  ) : (
    <Scroll>
      {parts.map(({ id, body }) => (
        <div key={id}>{body}</div>
      ))}
    </Scroll>
  );
}

/** A tab has the title already. */
const Scope = ({ title, children }: { title: string; children: ReactNode }) => (
  <SidePanel.Section title={title} titleVisible={!tabbed} as="h2">
    {children}
  </SidePanel.Section>
);

function Own({ own }: { own: Panel["own"][number] }) {
  const title = own.section.title;
  const language = useLanguageOf()(title);
  const text = useSay()(title);
  return (
    <SidePanel.Section
      title={language ? <span lang={language}>{text}</span> : text}
      ariaLabel={text}
      as="h2"
    >
      <OwnSection {...own} />
    </SidePanel.Section>
  );
}
