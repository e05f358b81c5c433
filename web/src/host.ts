// The editor's side of a settings panel: serves the panel in an iframe the API of Wix's
// editor, over Wix's own transport. The protocol is that of @wix/editor 1.866.0 with
// @wix/editor-platform-transport 1.15.0; panels with older versions work too.

import { IFrameHostEndpoint } from "@wix/editor-platform-transport";
import type { Pickers } from "./pickers";
import type { Stage } from "./stage";
import { colors, fonts } from "./theme";

export interface AccessToken {
  token: string;
  /** An ISO 8601 time. */
  expiresAt?: string;
}

/** What a panel has just done. */
export type PanelActivity =
  | { kind: "connected" }
  | { kind: "token"; token: string; expiresAt?: string }
  | { kind: "prop"; name: string; value: string | null };

interface PanelHostOptions {
  frame: HTMLIFrameElement;
  panelUrl: string;
  /** The widget's element name, which the editor shows as its name. */
  tag: string;
  appId: string;
  siteId: string;
  /** The signed app instance, which Wix appends to the panel's URL; "" for none. */
  instance: string;
  language: string;
  stage: Stage;
  pickers: Pickers;
  direction(): "ltr" | "rtl";
  viewMode(): "Editor" | "Preview";
  /** Gets an access token of the site's owner. */
  ownerToken(): Promise<AccessToken>;
  preloadFonts(families: string[]): void;
  /** Shows a text to the user of the editor. */
  notice(text: string): void;
  onActivity(activity: PanelActivity): void;
}

interface ComponentRef {
  id: string;
  type: string;
}

interface FrameAPI {
  initEnvironment(environment: unknown): Promise<void>;
  notify(event: unknown): Promise<void>;
}

// @wix/editor 1.866.0 requests a new token only while the old one is valid for more than
// half an hour (its comparison is inverted). An expiry far in the future makes it ask the
// host every time, and the host returns a valid token.
const farFuture = 24 * 60 * 60 * 1000;

export class PanelHost {
  #options: PanelHostOptions;
  #api: FrameAPI | null = null;
  #preferences: Record<string, unknown> = {};
  #open = false;

  constructor(options: PanelHostOptions) {
    this.#options = options;
    const { frame } = options;
    // Wix's endpoint would accept the messages of every frame as those of its panel.
    addEventListener(
      "message",
      (event) => {
        if (event.source !== frame.contentWindow) {
          event.stopImmediatePropagation();
        }
      },
      { capture: true },
    );
    // One endpoint serves all documents of the iframe: each requests a port, and gets a
    // channel of its own.
    IFrameHostEndpoint.connect(frame, (channel) => {
      channel.onAPICallback<FrameAPI>("PLATFORM_FRAME_API", (api) => {
        this.#api = api as unknown as FrameAPI;
        void this.#api.initEnvironment(this.#environment()).then(
          () => options.onActivity({ kind: "connected" }),
          (error: unknown) => options.notice(`The panel did not start: ${message(error)}`),
        );
      });
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Loads or reloads the panel. */
  open(): void {
    this.#open = true;
    this.#api = null;
    this.#go(panelAddress(this.#options));
  }

  close(): void {
    this.#open = false;
    this.#api = null;
    this.#go("about:blank");
  }

  /** Notifies the panel that another element is selected, or that its settings have changed. */
  selectionChanged(): void {
    void this.#api?.notify({
      type: "HostEvent",
      payload: { type: "componentSelectionChanged", componentRefs: this.#selected() },
      meta: { appDefinitionId: this.#options.appId },
    });
  }

  #go(address: string): void {
    const { frame } = this.#options;
    // replace() adds no entry to the page's history, but needs a document to replace.
    if (frame.contentWindow && frame.getAttribute("src")) {
      frame.contentWindow.location.replace(address);
    } else {
      frame.src = address;
    }
  }

  #selected(): ComponentRef[] {
    const id = this.#options.stage.selected;
    return id === null ? [] : [{ id, type: "DESKTOP" }];
  }

  #environment(): unknown {
    const { appId } = this.#options;
    return {
      privateAPI: this.#privateAPI(),
      applicationPrivateAPI: {},
      context: { appDefinitionId: appId },
      // Read by environment-api 1.30 and older.
      appDefinitionId: appId,
    };
  }

  #privateAPI(): Record<string, Record<string, (...args: never[]) => unknown>> {
    const o = this.#options;
    return {
      components: {
        getSelectedComponents: () => this.#selected(),
        getComponent: (ref: ComponentRef) => ({
          id: ref.id,
          type: "customElement",
          compRef: ref,
          displayName: this.#options.tag,
        }),
      },
      refComponents: { isRefComponent: () => false },
      customElement: {
        getAttribute: (ref: ComponentRef, name: string) =>
          o.stage.find(ref.id)?.attributes[name] ?? null,
        setAttribute: (ref: ComponentRef, name: string, value: unknown) => {
          const text = attributeText(value);
          o.stage.setAttribute(ref.id, name, text);
          o.onActivity({ kind: "prop", name, value: text });
        },
        setPreloadFonts: (_ref: ComponentRef, families: string[]) => o.preloadFonts(families),
      },
      info: {
        getAppInstance: () => o.instance,
        getMetaSiteId: () => o.siteId,
        getViewMode: () => o.viewMode(),
        getLanguageCode: () => o.language,
        getLocales: () => [{ id: o.language, languageCode: o.language }],
        getSiteDirection: () => o.direction(),
        siteHasCustomClasses: () => false,
        getThemeCustomProperties: (filter?: { keys?: string[] }) =>
          pick(themeProperties(), filter?.keys),
        getSiteFonts: (filter?: { keys?: string[] }) => pick(siteFonts(), filter?.keys),
        getFontFamilyDisplayName: (family: string) =>
          fonts.find((f) => f.family.toLowerCase() === family.toLowerCase() && !f.variable)?.name ??
          family,
      },
      auth: {
        getAccessToken: async () => {
          const { token, expiresAt } = await o.ownerToken();
          o.onActivity({ kind: "token", token, expiresAt });
          return { token, expires: new Date(Date.now() + farFuture).toISOString() };
        },
      },
      inputs: {
        openColorPicker: (options: { color?: string }, choose: Parameters<Pickers["color"]>[1]) =>
          o.pickers.color(options?.color, choose),
        openFontPickerV2: (
          options: { componentStyle?: Parameters<Pickers["font"]>[0] },
          choose: Parameters<Pickers["font"]>[1],
        ) => o.pickers.font(options?.componentStyle, choose),
        selectLink: (params: { value?: { url?: string } }) => o.pickers.link(params?.value?.url),
      },
      userPreferences: {
        get: (_appId: string, keys?: string[] | string) =>
          pick(this.#preferences, typeof keys === "string" ? [keys] : keys),
        set: (_appId: string, preferences: Record<string, unknown>) => {
          Object.assign(this.#preferences, preferences);
        },
      },
      panels: {
        openDashboardPanel: () => o.notice("In Wix, a page of the dashboard opens here."),
        openFontsUploadPanel: () => o.notice("In Wix, fonts can be uploaded here."),
        openLanguageSupportPanel: () => o.notice("In Wix, languages are managed here."),
      },
    };
  }
}

/** The panel's URL with the parameters that Wix's editor adds. */
export function panelAddress(o: {
  panelUrl: string;
  appId: string;
  instance: string;
  language: string;
}): string {
  const url = new URL(o.panelUrl, document.baseURI);
  url.searchParams.set("editorType", "CLASSIC");
  url.searchParams.set("appDefinitionId", o.appId);
  if (o.instance) {
    url.searchParams.set("instance", o.instance);
  }
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  url.searchParams.set(
    "essentials",
    JSON.stringify({ language: o.language, locale: o.language, timezone }),
  );
  return url.href;
}

/** The attribute's text for a value that a panel has passed to setProp. */
export function attributeText(value: unknown): string | null {
  if (value === null || value === undefined) {
    return null;
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function themeProperties(): Record<string, unknown> {
  return Object.fromEntries(
    colors.map((c) => [c.variable, { type: "color", value: c.value, displayName: c.name }]),
  );
}

function siteFonts(): Record<string, unknown> {
  return Object.fromEntries(
    fonts
      .filter((f) => !f.variable)
      .map((f) => [
        f.family,
        {
          displayName: f.name,
          characterSets: ["latin"],
          fontFamily: f.family,
          cssFontFamily: f.family,
          style: [{ weight: 400, style: "normal" }],
        },
      ]),
  );
}

function pick(all: Record<string, unknown>, keys?: readonly string[]): Record<string, unknown> {
  if (!keys) {
    return all;
  }
  return Object.fromEntries(keys.filter((k) => k in all).map((k) => [k, all[k]]));
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
