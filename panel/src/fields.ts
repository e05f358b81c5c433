// The declared settings, with what the app draws itself.
import type { Field } from "./kinds/kind";
import type { Override, Overrides } from "./overrides";
import * as own from "./own";
import type { Section } from "./section";
import type { SiteSettings, WidgetSettings } from "./settings.gen";
import * as declared from "./settings.gen";

type FieldsOf<T> = { [N in keyof T & string]: Field<N, T[N]> }[keyof T & string];
/** Whether one is set, or the text of a new one. SiteSettings has none of them. */
type SecretField = Field<string, boolean | string>;

const widget: readonly FieldsOf<WidgetSettings>[] = declared.widgetFields;
const site: readonly (FieldsOf<SiteSettings> | SecretField)[] = declared.siteFields;
const overrides: Overrides = own.fields;

const drawn = (fields: readonly Field[]): readonly Field[] =>
  fields.map((field) => ({
    ...field,
    ...(overrides as Record<string, Override<unknown> | undefined>)[field.name],
  }));

export const widgetFields = drawn(widget);
export const siteFields = drawn(site);
export const sections: readonly Section[] = own.sections;

/** More fields and sections than this do not fit into Wix's small panel (288 × 500 pixels) at once. */
const FITTING = 4;

/** Whether the panel has tabs, which depends on the declaration alone. */
export const tabbed = widgetFields.length + siteFields.length + sections.length > FITTING;
