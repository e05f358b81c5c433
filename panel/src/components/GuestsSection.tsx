// "Guests greeted": how many guests the widgets of this site greeted, day by day.
import { Heading, SidePanel, Text } from "@wix/design-system";
import type { GuestDay } from "../api";
import type { Fault } from "../fault";
import { kindOf } from "../fault";
import { longDate, shortNumber, weekday, wholeNumber } from "../format";
import type { GuestsState } from "../guestsModel";
import { barHeights, totalOf } from "../guestsModel";
import { useMessages, usePanel, useSignal } from "./context";
import { FaultBox } from "./FaultBox";
import { Loading } from "./Loading";

export function GuestsSection() {
  const { guests: words } = useMessages();
  const { guests } = usePanel();
  const state = useSignal(guests.state);
  return (
    <SidePanel.Section title={words.title} as="h2">
      <Body state={state} />
    </SidePanel.Section>
  );
}

function Body({ state }: { state: GuestsState }) {
  const { guests } = usePanel();
  switch (state.status) {
    case "loading":
      return <Loading fields={2} />;
    case "failed":
      return <Failed fault={state.fault} retry={() => void guests.load()} />;
    case "ready":
      return totalOf(state.days) === 0 ? <Empty /> : <Week days={state.days} />;
  }
}

/** A notice that the section above already shows is not repeated. That section's retry loads the guests too. */
function Failed({ fault, retry }: { fault: Fault; retry: () => void }) {
  const { guests: words } = useMessages();
  const site = useSignal(usePanel().site.state);
  if (site.status === "failed" && kindOf(site.fault) === kindOf(fault)) {
    return (
      <SidePanel.Field>
        <Text size="small" secondary>
          {words.unavailable}
        </Text>
      </SidePanel.Field>
    );
  }
  return <FaultBox fault={fault} retry={retry} />;
}

function Empty() {
  const { guests: words } = useMessages();
  return (
    <SidePanel.Field>
      <Text size="small" weight="normal" tagName="div">
        {words.empty.title}
      </Text>
      <Text size="small" secondary tagName="div">
        {words.empty.body}
      </Text>
    </SidePanel.Field>
  );
}

function Week({ days }: { days: GuestDay[] }) {
  const { guests: words, language } = useMessages();
  const heights = barHeights(days);
  return (
    <SidePanel.Field>
      <p className="total">
        <Heading as="span" size="large">
          {wholeNumber(totalOf(days), language)}
        </Heading>{" "}
        <Text size="small" secondary>
          {words.lastDays}
        </Text>
      </p>
      <ol className="week">
        {days.map(({ day, guests }, index) => (
          <li key={day}>
            <span className="unseen">
              {words.day(longDate(day, language), guests, wholeNumber(guests, language))}
            </span>
            <span className="day" aria-hidden="true">
              <span className="bar-room">
                <span className="count">{shortNumber(guests, language)}</span>
                <span className="bar" style={{ blockSize: `${heights[index]}%` }} />
              </span>
              <span className="weekday">{weekday(day, language)}</span>
            </span>
          </li>
        ))}
      </ol>
    </SidePanel.Field>
  );
}
