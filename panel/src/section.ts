// What the app's own sections, in own/index.tsx, are made of.
import type { ReactNode } from "react";
import type { OwnApi } from "./api";
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
