// What every part of the panel is given: its words and the models behind it.
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Editor } from "../editor";
import type { InstanceModel } from "../instanceModel";
import type { Messages } from "../messages";
import type { SiteModel } from "../siteModel";
import type { Store } from "../store";
import type { WidgetModel } from "../widgetModel";

export interface Panel {
  editor: Editor;
  widget: WidgetModel;
  site: SiteModel;
  instance: InstanceModel;
}

export const PanelContext = createContext<Panel | null>(null);
export const MessagesContext = createContext<Messages | null>(null);

export const usePanel = () => given(useContext(PanelContext));
export const useMessages = () => given(useContext(MessagesContext));

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

function given<T>(value: T | null): T {
  if (value === null) {
    throw new Error("rendered outside its provider");
  }
  return value;
}
