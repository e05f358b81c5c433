// The panel's parts behind tabs, for an app with more settings than a panel can show at once. Every part stays in the
// page, with its state and how far it is scrolled.
import { Tabs as TabList } from "@wix/design-system";
import { StatusWarningFilledSmall } from "@wix/wix-ui-icons-common";
import type { KeyboardEvent, ReactNode } from "react";
import { useState } from "react";
import { useMessages } from "./context";
import { Scroll } from "./Scroll";

interface Part {
  id: string;
  tab: string;
  /** Whether something in it waits for the owner. */
  needsYou?: boolean;
  body: ReactNode;
}

export function Tabs({ parts }: { parts: Part[] }) {
  const messages = useMessages();
  const [active, setActive] = useState(parts[0]?.id);
  return (
    <>
      <div onKeyDownCapture={mirrorArrows}>
        <TabList
          size="small"
          minWidth={0}
          showDivider
          hasDivider={false}
          activeId={active}
          items={parts.map(({ id, tab, needsYou }) => ({
            id,
            title: tab,
            suffix: needsYou && id !== active && (
              <span className="needs-you" role="img" aria-label={messages.needsYou}>
                <StatusWarningFilledSmall />
              </span>
            ),
          }))}
          onClick={({ id }) => setActive(id as string)}
        />
      </div>
      {parts.map(({ id, tab, body }) => (
        <div key={id} className="part" role="tabpanel" aria-label={tab} hidden={id !== active}>
          <Scroll>{body}</Scroll>
        </div>
      ))}
    </>
  );
}

/** The Design System's tabs go to the next one with the right arrow, also where the next one is on the left. */
function mirrorArrows(event: KeyboardEvent) {
  const other = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" }[event.key];
  if (other && event.isTrusted && document.body.dir === "rtl") {
    event.stopPropagation();
    event.preventDefault();
    event.target.dispatchEvent(new window.KeyboardEvent("keydown", { key: other, bubbles: true }));
  }
}
