// What own/index.tsx is made of: the app's own sections, and its own controls for declared settings.
import type { ReactNode } from "react";
import type { OwnApi } from "./api";
import type { Field } from "./kinds/kind";
import type { SiteSettings, WidgetSettings } from "./settings.gen";
import type { Words } from "./words";

/** A section of the panel that the app draws itself. The panel shows while it is loading, and why it could not be. */
export interface Section<T = unknown> {
  title: Words;
  /** Called at the start, and whenever the panel is loaded again. api calls the app's own routes as the owner. */
  load(api: OwnApi): Promise<T>;
  Body(props: { data: T; api: OwnApi; reload(): void }): ReactNode;
}

/** Gives a section the type of what it loads. */
export const section = <T>(made: Section<T>): Section<T> => made;

/** What replaces the parts of a field: usually its Control, and whether that stands beside the label. */
export type Override<V> = Partial<Pick<Field<string, V>, "Control" | "beside" | "check">>;

/** The app's own fields, by the name of the setting. */
export type Overrides = {
  [N in keyof WidgetSettings]?: Override<WidgetSettings[N]>;
} & { [N in keyof SiteSettings]?: Override<SiteSettings[N]> };
