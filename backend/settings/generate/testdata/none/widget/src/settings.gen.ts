// Code generated from backend/business/settings.go by make generate. DO NOT EDIT.

/** What belongs to one widget. */
export type WidgetSettings = Record<string, never>;

/** The element's attributes that hold them. */
export const widgetAttributes: string[] = [];

/** Reads the attributes. A value that is absent or not valid becomes the default. */
export const readWidget = (_attribute: (name: string) => unknown): WidgetSettings => ({});

/** What belongs to the whole site, without its secrets. */
export type SiteSettings = Record<string, never>;

/** Reads the settings of an answer; any other value gives the defaults. */
export const readSite = (_values?: Record<string, unknown>): SiteSettings => ({});
