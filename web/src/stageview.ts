// Renders a stage as a page in an iframe: a document that loads the widget's script as a
// Wix page does, so that a reload is a page load. The document's own code is stagepage.ts.

import { h } from "./dom";
import type { Stage } from "./stage";
import type { FromStage, Opening, Scene, StageRequest, ToStage, WidgetState } from "./stagewire";

interface StageViewOptions {
  stage: Stage;
  /** The parent of the page's iframe. */
  canvas: HTMLElement;
  tag: string;
  widgetUrl: string;
  /** Whether the widget's script is loaded as a classic one, not as a module. */
  classic?: boolean;
  /** The URL of the bundle's folder, with a slash at its end. */
  assets: string;
  siteId: string;
  language: string;
  /**
   * Whether the page that is being loaded is of another origin, without storage, as in Wix's
   * editor.
   */
  sandbox(): boolean;
  /** The token function for the page that is being loaded, or null for none. */
  visitorToken(): (() => Promise<string>) | null;
  /** Whether the app has been removed: Wix then removes its widgets from the page. */
  removed?(): boolean;
  /** The element's Settings button was pressed. */
  onSettings(): void;
  onFault(text: string): void;
  // What happens in the page. Times are milliseconds of the outer page's clock.
  onToken?(at: number): void;
  onState?(at: number, state: WidgetState): void;
  onRequest?(at: number, request: StageRequest): void;
}

type StageMode = "editor" | "visitor";

export class StageView {
  #o: StageViewOptions;
  #mode: StageMode = "editor";
  #direction: "ltr" | "rtl" = "ltr";
  #port: MessagePort | null = null;
  #load = 0;

  constructor(options: StageViewOptions) {
    this.#o = options;
    options.stage.subscribe(() => this.#show());
  }

  /** Loads or reloads the page, and resolves when its widgets are on their way to it. */
  async load(): Promise<void> {
    const load = ++this.#load;
    const o = this.#o;
    this.#port?.close();
    this.#port = null;
    const removed = o.removed?.() ?? false;
    const frame = h("iframe", {
      title: "The page of the site",
      class: "page",
      sandbox: o.sandbox() && "allow-scripts",
    });
    frame.srcdoc = this.#document(removed);
    await new Promise((resolve) => {
      frame.addEventListener("load", resolve, { once: true });
      o.canvas.replaceChildren(frame);
    });
    if (load !== this.#load || !frame.contentWindow) {
      return;
    }
    const token = o.visitorToken();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<FromStage>) => this.#take(data, port1, token);
    this.#port = port1;
    const opening: Opening = {
      tag: o.tag,
      script: removed
        ? null
        : { url: absolute(o.widgetUrl), type: o.classic ? "text/javascript" : "module" },
      siteId: o.siteId,
      language: o.language,
      token: token !== null,
      scene: this.#scene(),
    };
    // A sandboxed document has no origin that could be named here.
    frame.contentWindow.postMessage(opening, "*", [port2]);
  }

  setMode(mode: StageMode): void {
    this.#mode = mode;
    this.#show();
  }

  setDirection(direction: "ltr" | "rtl"): void {
    this.#direction = direction;
    this.#show();
  }

  get direction(): "ltr" | "rtl" {
    return this.#direction;
  }

  #document(removed: boolean): string {
    const doc = document.implementation.createHTMLDocument("Bramble & Thyme");
    doc.documentElement.lang = this.#o.language;
    doc.documentElement.dir = this.#direction;
    doc.body.className = "site stage";
    doc.head.append(
      h("link", { rel: "stylesheet", href: absolute(`${this.#o.assets}bramble.css`) }),
      h("script", { type: "module", src: absolute(`${this.#o.assets}stagepage.js`) }),
    );
    doc.body.append(doc.importNode(template("site").content, true));
    if (removed) {
      doc.querySelector("[data-slot]")?.append(doc.importNode(template("removed").content, true));
    }
    return `<!doctype html>${doc.documentElement.outerHTML}`;
  }

  #scene(): Scene {
    const { stage, removed } = this.#o;
    return {
      elements: removed?.() ? [] : stage.elements,
      selected: stage.selected,
      editing: this.#mode === "editor",
      direction: this.#direction,
    };
  }

  #show(): void {
    this.#port?.postMessage({ kind: "show", scene: this.#scene() } satisfies ToStage);
  }

  #take(message: FromStage, port: MessagePort, token: (() => Promise<string>) | null): void {
    const { stage, ...o } = this.#o;
    const ours = (at: number) => at - performance.timeOrigin;
    switch (message.kind) {
      case "token": {
        const { id } = message;
        const answer = (to: ToStage) => port.postMessage(to);
        o.onToken?.(ours(message.at));
        token?.().then(
          (text) => answer({ kind: "token", id, token: text }),
          (error: unknown) => answer({ kind: "no-token", id, reason: String(error) }),
        );
        break;
      }
      case "state":
        o.onState?.(ours(message.at), message.state);
        break;
      case "request":
        o.onRequest?.(ours(message.at), message.request);
        break;
      case "select":
        stage.select(message.id);
        break;
      case "duplicate":
        stage.duplicate(message.id);
        break;
      case "remove":
        stage.remove(message.id);
        break;
      case "undo":
        stage.undo();
        break;
      case "redo":
        stage.redo();
        break;
      case "settings":
        o.onSettings();
        break;
      case "fault":
        o.onFault(message.text);
        break;
    }
  }
}

function template(id: string): HTMLTemplateElement {
  return document.getElementById(id) as HTMLTemplateElement;
}

const absolute = (url: string) => new URL(url, document.baseURI).href;
