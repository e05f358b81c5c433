// "Guests greeted": how many guests the widgets of this site greeted, day by day.
import { Heading, SidePanel, Text } from "@wix/design-system";
import { useMessages, useSay } from "../components/context";
import { section } from "../section";
import { longDate, shortNumber, weekday, wholeNumber } from "./format";
import type { GuestDay } from "./guestDays";
import { barHeights, guestDaysFrom, totalOf } from "./guestDays";
import "./guests.css";

const words = {
  en: {
    lastDays: "in the last 7 days (UTC)",
    /** count is the number as the language writes it. */
    day: (date: string, guests: number, count: string) =>
      `${date}: ${count} ${guests === 1 ? "guest" : "guests"}`,
    empty: {
      title: "No guests yet",
      body: "The number of guests shows here once a widget on your site has greeted someone.",
    },
  },
};

export const guests = section({
  title: { en: "Guests greeted" },
  load: async (api) => guestDaysFrom(await api.get("guests")),
  Body: ({ data: days }) => (totalOf(days) === 0 ? <Empty /> : <Week days={days} />),
});

function Empty() {
  const { empty } = useSay()(words);
  return (
    <SidePanel.Field>
      <Text size="small" weight="normal" tagName="div">
        {empty.title}
      </Text>
      <Text size="small" secondary tagName="div">
        {empty.body}
      </Text>
    </SidePanel.Field>
  );
}

function Week({ days }: { days: GuestDay[] }) {
  const { lastDays, day: inWords } = useSay()(words);
  const { language } = useMessages();
  const heights = barHeights(days);
  return (
    <SidePanel.Field>
      <p className="total">
        <Heading as="span" size="large">
          {wholeNumber(totalOf(days), language)}
        </Heading>{" "}
        <Text size="small" secondary>
          {lastDays}
        </Text>
      </p>
      <ol className="week">
        {days.map(({ day, guests }, index) => (
          <li key={day}>
            <span className="unseen">
              {inWords(longDate(day, language), guests, wholeNumber(guests, language))}
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
