// The only module that calls the Wix editor.
import { editor, events, info, inputs, widget } from "@wix/editor";
import { createClient } from "@wix/sdk/client";
import type { Session } from "./api";
import { Unreachable } from "./api";
import type { Font } from "./props";
import type { WidgetPort } from "./widgetModel";

export interface Editor {
  widget: WidgetPort & { setPreloadFonts(fonts: string[]): Promise<unknown> };
  inputs: {
    selectColor(value: string, options: { onChange(value: unknown): void }): Promise<unknown>;
    selectFont(
      value: Font | undefined,
      options: { onChange(value: unknown): void },
    ): Promise<unknown>;
  };
  session: Session;
  /** The language of the editor, or ''. */
  language: string;
  siteDirection(): Promise<unknown>;
  onSelection(changed: (components: unknown) => void): void;
}

/** Whether this page is in a frame. Without one there is no editor. */
export const isFramed = () => window.self !== window.top;

/** Connects to the editor. If none answers within 10 seconds, every call rejects with IncorrectEnvironment. */
export function connectEditor(): Editor {
  dropBrokenEssentials();
  const host = editor.host();
  const build = () =>
    createClient({
      auth: editor.auth(),
      host,
      fetch: markedFetch,
      modules: { widget, inputs, info, events },
    });
  let client = build();
  const { widget: port, inputs: pickers } = client;
  return {
    widget: {
      getProp: (name) => port.getProp(name),
      setProp: (name, value) => port.setProp(name, value),
      setPreloadFonts: (fonts) => port.setPreloadFonts(fonts),
    },
    inputs: {
      selectColor: (value, options) => pickers.selectColor(value, options),
      selectFont: (value, options) => pickers.selectFont(value, options),
    },
    session: {
      fetch: (url, init) => client.fetchWithAuth(url, init),
      renew: () => {
        client = build();
      },
    },
    language: languageOf(host.essentials),
    siteDirection: () => client.info.getSiteDirection(),
    onSelection(changed) {
      client.events
        .addEventListener("componentSelectionChanged", (event: { components?: unknown }) =>
          changed(event?.components),
        )
        .catch(() => {}); // an editor without events: the panel's button reads the selection again
    },
  };
}

/** fetchWithAuth rejects both when the network fails and when the editor refuses a token. This marks the former. */
const markedFetch: typeof fetch = async (input, init) => {
  try {
    return await fetch(input, init);
  } catch (cause) {
    throw new Unreachable("no answer", { cause });
  }
};

/** editor.host() throws when the essentials parameter is not JSON. The panel does not need the parameter. */
function dropBrokenEssentials() {
  const url = new URL(window.location.href);
  try {
    JSON.parse(url.searchParams.get("essentials") ?? "null");
  } catch {
    url.searchParams.delete("essentials");
    window.history.replaceState(null, "", url);
  }
}

function languageOf(essentials: unknown): string {
  const language = (essentials as { language?: unknown } | null)?.language;
  return typeof language === "string" ? language : "";
}
