// The guests of the last days, as the app's route api/guests answers them.
import { Fault } from "../fault";

/** How many guests the site's widgets greeted on one day. */
export interface GuestDay {
  /** The day in UTC, as YYYY-MM-DD. */
  day: string;
  guests: number;
}

/** The oldest day first. */
export function guestDaysFrom(body: unknown): GuestDay[] {
  const { days } = (body ?? {}) as { days?: unknown };
  if (!Array.isArray(days) || !days.every(isGuestDay)) {
    throw new Fault("bad_answer");
  }
  return days.map(({ day, guests }) => ({ day, guests }));
}

function isGuestDay(value: unknown): value is GuestDay {
  const { day, guests } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof day === "string" &&
    /^\d{4}-\d{2}-\d{2}$/.test(day) &&
    !Number.isNaN(Date.parse(day)) &&
    Number.isInteger(guests) &&
    (guests as number) >= 0
  );
}

export function totalOf(days: GuestDay[]): number {
  return days.reduce((sum, { guests }) => sum + guests, 0);
}

const SMALLEST = 4;

/** The heights of the days' bars, in percent of the highest. A day with any guest has at least SMALLEST. */
export function barHeights(days: GuestDay[]): number[] {
  const most = Math.max(...days.map(({ guests }) => guests));
  return days.map(({ guests }) =>
    guests === 0 ? 0 : Math.max(SMALLEST, Math.round((guests / most) * 100)),
  );
}
