// What every component can use: the panel's texts and the models behind it.
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Instance, OwnApi } from "../api";
import type { Editor } from "../editor";
import type { Loader } from "../loader";
import type { Messages } from "../messages";
import type { Section } from "../section";
import type { Signal } from "../signal";
import type { SiteModel } from "../siteModel";
import type { WidgetModel } from "../widgetModel";
import type { Words } from "../words";
import { choose } from "../words";

export interface Panel {
  editor: Editor;
  api: OwnApi;
  widget: WidgetModel;
  site: SiteModel;
  instance: Loader<Instance>;
  /** The app's own sections. */
  own: readonly { section: Section; loader: Loader<unknown> }[];
  /** Loads all that comes from the server. */
  load(): void;
}

export interface Texts {
  messages: Messages;
  /** The language that the app's own texts are chosen by. The panel's messages may be in another one. */
  language: string;
}

export const PanelContext = createContext<Panel | null>(null);
export const TextsContext = createContext<Texts | null>(null);

export const usePanel = () => provided(useContext(PanelContext));
export const useMessages = () => provided(useContext(TextsContext)).messages;

/** Returns the app's own text in the owner's language. */
export function useSay(): <T>(words: Words<T>) => T {
  const { language } = provided(useContext(TextsContext));
  return (words) => choose(words, language).text;
}

/** The language of an app's own text where it is not the page's, for its lang attribute. */
export function useLanguageOf(): (words: Words<unknown>) => string | undefined {
  const { language, messages } = provided(useContext(TextsContext));
  return (words) => {
    const found = choose(words, language).language;
    return found === messages.language ? undefined : found;
  };
}

export function useSignal<T>(signal: Signal<T>): T {
  return useSyncExternalStore(signal.subscribe, signal.get);
}

function provided<T>(value: T | null): T {
  if (value === null) {
    throw new Error("rendered outside its provider");
  }
  return value;
}
