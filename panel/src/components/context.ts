// What every component can use: the panel's texts and the models behind it.
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Editor } from "../editor";
import type { GuestsModel } from "../guestsModel";
import type { InstanceModel } from "../instanceModel";
import type { Messages } from "../messages";
import type { Signal } from "../signal";
import type { SiteModel } from "../siteModel";
import type { WidgetModel } from "../widgetModel";

export interface Panel {
  editor: Editor;
  widget: WidgetModel;
  site: SiteModel;
  instance: InstanceModel;
  guests: GuestsModel;
}

export const PanelContext = createContext<Panel | null>(null);
export const MessagesContext = createContext<Messages | null>(null);

export const usePanel = () => provided(useContext(PanelContext));
export const useMessages = () => provided(useContext(MessagesContext));

export function useSignal<T>(signal: Signal<T>): T {
  return useSyncExternalStore(signal.subscribe, signal.get);
}

function provided<T>(value: T | null): T {
  if (value === null) {
    throw new Error("rendered outside its provider");
  }
  return value;
}
