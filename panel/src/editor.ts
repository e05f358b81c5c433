// The only module that calls the Wix editor.
import { editor, events, info, inputs, widget } from "@wix/editor";
import { createClient } from "@wix/sdk/client";
import type { Session } from "./api";
import { Unreachable } from "./api";
import type { WidgetPort } from "./widgetModel";

export interface Editor {
  widget: WidgetPort & { setPreloadFonts(fonts: string[]): Promise<unknown> };
  inputs: {
    selectColor(value: string, options: { onChange(value: unknown): void }): Promise<unknown>;
    selectFont(
      value: { font: string; textDecoration: string } | undefined,
      options: { onChange(value: unknown): void },
    ): Promise<unknown>;
    /** Offers the links that have an address: pages of the web, mailboxes and telephones. */
    selectLink(url: string | undefined): Promise<unknown>;
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
  // The editor hands out a token too late for a page that is about to end: this is the one that was sent last.
  let lastToken = "";
  // fetchWithAuth rejects both when the network fails and when the editor refuses a token. This marks the former.
  const markedFetch: typeof fetch = async (input, init) => {
    lastToken = new Headers(init?.headers).get("Authorization") ?? "";
    try {
      return await fetch(input, init);
    } catch (cause) {
      throw new Unreachable("no answer", { cause });
    }
  };
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
      selectLink: (url) =>
        pickers.selectLink({
          value: url ? { type: "ExternalLink", url, displayName: url } : undefined,
          options: { linkTypes: ["ExternalLink", "EmailLink", "PhoneLink"] },
        }),
    },
    session: {
      fetch: (url, init) => client.fetchWithAuth(url, init),
      fetchNow: (url, init) =>
        markedFetch(url, { ...init, headers: { ...init?.headers, Authorization: lastToken } }),
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
