// Numbers and days in the panel's language.

/** day is YYYY-MM-DD, in UTC. */
export function weekday(day: string, language: string): string {
  return inUTC(day, language, { weekday: "short" });
}

export function longDate(day: string, language: string): string {
  return inUTC(day, language, { weekday: "long", month: "long", day: "numeric" });
}

function inUTC(day: string, language: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" }).format(new Date(day));
}

export function wholeNumber(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}

/** At most four or five characters, for narrow columns: 12345 is "12K". */
export function shortNumber(value: number, language: string): string {
  return new Intl.NumberFormat(language, {
    notation: "compact",
    maximumFractionDigits: value < 10_000 ? 1 : 0,
  }).format(value);
}
