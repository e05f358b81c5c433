// Code generated from backend/business/settings.go by make generate. DO NOT EDIT.

/** What belongs to one widget. */
export type WidgetSettings = Record<string, never>;

/** What belongs to the whole site, without its secrets. */
export type SiteSettings = Record<string, never>;

export const widgetFields = [] as const;

export const siteFields = [] as const;
