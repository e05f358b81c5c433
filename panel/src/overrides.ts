// What the app's own controls for declared settings, in own/index.tsx, are made of.
import type { Field } from "./kinds/kind";
import type { SiteSettings, WidgetSettings } from "./settings.gen";

/** What replaces the parts of a field: usually its Control, and whether that stands beside the label. */
export type Override<V> = Partial<Pick<Field<string, V>, "Control" | "beside" | "check">>;

/** The app's own fields, by the name of the setting. */
export type Overrides = {
  [N in keyof WidgetSettings]?: Override<WidgetSettings[N]>;
} & { [N in keyof SiteSettings]?: Override<SiteSettings[N]> };
