// Renders a stage as a page in an iframe: a document that loads the widget's script as a
// Wix page does, so that a reload is a page load. It does for the widgets what Wix's own
// code on the page does.

import { id } from "../../app.json";
import { h } from "./dom";
import type { Stage, StageElement } from "./stage";

export interface WidgetState {
  state: "idle" | "loading" | "ready" | "failed";
  code?: string;
  requestId?: string;
}

interface StageViewOptions {
  stage: Stage;
  /** The parent of the page's iframe. */
  canvas: HTMLElement;
  tag: string;
  widgetUrl: string;
  stylesheet: string;
  language: string;
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
  onRequest?(at: number, entry: PerformanceResourceTiming): void;
}

type PageWindow = Window &
  typeof globalThis & { commonConfig?: { language: string; locale: string } };

type WidgetElement = HTMLElement & {
  accessTokenListener?: (token: () => Promise<string>) => void;
};

type StageMode = "editor" | "visitor";

export class StageView {
  #o: StageViewOptions;
  #mode: StageMode = "editor";
  #direction: "ltr" | "rtl" = "ltr";
  #page: {
    doc: Document;
    win: PageWindow;
    slot: Element;
    token: (() => Promise<string>) | null;
  } | null = null;
  #load = 0;

  constructor(options: StageViewOptions) {
    this.#o = options;
    options.stage.subscribe(() => this.#sync());
  }

  /** Loads or reloads the page, and resolves when its widgets are in it. */
  async load(): Promise<void> {
    const load = ++this.#load;
    this.#page = null;
    const frame = h("iframe", { title: "The page of the site", class: "page" });
    frame.srcdoc = "<!doctype html><title>Bramble &amp; Thyme</title>";
    await new Promise((resolve) => {
      frame.addEventListener("load", resolve, { once: true });
      this.#o.canvas.replaceChildren(frame);
    });
    const doc = frame.contentDocument;
    const win = frame.contentWindow as PageWindow | null;
    if (load !== this.#load || !doc || !win) {
      return;
    }

    // As on a Wix page: @wix/site reads commonConfig once, when a widget starts.
    win.commonConfig = { language: this.#o.language, locale: "en-us" };
    doc.documentElement.lang = this.#o.language;
    doc.documentElement.dir = this.#direction;
    doc.body.className = "site stage";
    await new Promise((resolve) => {
      const style = doc.createElement("link");
      style.rel = "stylesheet";
      style.href = this.#o.stylesheet;
      style.addEventListener("load", resolve);
      style.addEventListener("error", resolve);
      doc.head.append(style);
    });
    if (load !== this.#load) {
      return;
    }
    const template = document.getElementById("site") as HTMLTemplateElement;
    doc.body.append(doc.importNode(template.content, true));
    const slot = doc.querySelector("[data-slot]");
    if (!slot) {
      throw new Error("the site has no place for widgets");
    }
    this.#watch(doc, win);
    if (this.#o.removed?.()) {
      const note = document.getElementById("removed") as HTMLTemplateElement;
      slot.append(doc.importNode(note.content, true));
      return;
    }
    this.#page = { doc, win, slot, token: this.#o.visitorToken() };
    this.#sync();

    const script = doc.createElement("script");
    script.type = "module";
    script.src = this.#o.widgetUrl;
    script.addEventListener("error", () =>
      this.#o.onFault("The widget’s script could not be loaded."),
    );
    doc.head.append(script);
  }

  setMode(mode: StageMode): void {
    this.#mode = mode;
    this.#sync();
  }

  setDirection(direction: "ltr" | "rtl"): void {
    this.#direction = direction;
    const doc = this.#o.canvas.querySelector("iframe")?.contentDocument;
    if (doc) {
      doc.documentElement.dir = direction;
    }
  }

  get direction(): "ltr" | "rtl" {
    return this.#direction;
  }

  #watch(doc: Document, win: PageWindow): void {
    const { stage } = this.#o;
    const ours = (time: number) => time + win.performance.timeOrigin - performance.timeOrigin;

    doc.addEventListener(`${id}-state`, (event) =>
      this.#o.onState?.(performance.now(), (event as CustomEvent<WidgetState>).detail),
    );
    new win.PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        this.#o.onRequest?.(ours(entry.startTime), entry as PerformanceResourceTiming);
      }
    }).observe({ type: "resource", buffered: true });

    doc.addEventListener("click", (event) => {
      const target = event.target as Element;
      const link = target.closest("a");
      if (link) {
        // A srcdoc page has no address of its own, so a link to a fragment would leave it.
        event.preventDefault();
        const part = link.getAttribute("href") ?? "";
        if (this.#mode === "visitor" && part.startsWith("#")) {
          doc.getElementById(part.slice(1))?.scrollIntoView({ block: "start" });
        }
      }
      if (this.#mode === "editor" && !target.closest(".comp")) {
        stage.select(null);
      }
    });
    doc.addEventListener("keydown", (event) => {
      if (this.#mode !== "editor") {
        return;
      }
      const target = event.target as Element;
      if ((event.key === "Delete" || event.key === "Backspace") && target.closest(".comp-hit")) {
        event.preventDefault();
        if (stage.selected) {
          stage.remove(stage.selected);
        }
      } else {
        undoKeys(event, stage);
      }
    });
  }

  // sync updates the page from the model.
  #sync(): void {
    if (!this.#page) {
      return;
    }
    const { doc, slot } = this.#page;
    const { stage } = this.#o;
    doc.body.classList.toggle("editing", this.#mode === "editor");
    for (const box of slot.querySelectorAll<HTMLElement>(".comp")) {
      if (!stage.find(box.dataset.id ?? "")) {
        box.remove();
      }
    }
    stage.elements.forEach((element, i) => {
      let box = slot.querySelector<HTMLElement>(`.comp[data-id="${element.id}"]`);
      if (!box) {
        box = this.#box(doc, element);
        slot.insertBefore(box, slot.children[i] ?? null);
        void this.#inject(box.firstElementChild as WidgetElement);
      }
      write(box.firstElementChild as Element, element.attributes);
      this.#decorate(box, element, i);
    });
  }

  // decorate shows or hides the editor's controls of an element.
  #decorate(box: HTMLElement, element: StageElement, index: number): void {
    const editing = this.#mode === "editor";
    const selected = editing && this.#o.stage.selected === element.id;
    box.classList.toggle("selected", selected);
    const [hit, bar] = [box.children[1] as HTMLElement, box.children[2] as HTMLElement];
    hit.hidden = !editing;
    hit.setAttribute("aria-pressed", String(selected));
    hit.setAttribute("aria-label", `Select widget ${index + 1}`);
    bar.hidden = !selected;
    bar.setAttribute("aria-label", `Widget ${index + 1}`);
  }

  #box(doc: Document, element: StageElement): HTMLElement {
    const { stage } = this.#o;
    const button = (className: string, text: string, press: () => void) => {
      const b = doc.createElement("button");
      b.type = "button";
      b.className = className;
      b.textContent = text;
      b.addEventListener("click", press);
      return b;
    };
    const box = doc.createElement("div");
    box.className = "comp";
    box.dataset.id = element.id;
    const widget = doc.createElement(this.#o.tag);
    write(widget, element.attributes);
    const bar = doc.createElement("div");
    bar.className = "comp-bar";
    bar.setAttribute("role", "group");
    bar.append(
      button("", "Settings", () => this.#o.onSettings()),
      button("", "Duplicate", () => stage.duplicate(element.id)),
      button("", "Delete", () => stage.remove(element.id)),
    );
    const hit = button("comp-hit", "", () => stage.select(element.id));
    hit.addEventListener("dblclick", () => this.#o.onSettings());
    box.append(widget, hit, bar);
    return box;
  }

  // inject passes the token function to a widget, as Wix does.
  async #inject(widget: WidgetElement): Promise<void> {
    const page = this.#page;
    if (!page?.token) {
      return;
    }
    const { token } = page;
    await page.win.customElements.whenDefined(this.#o.tag);
    widget.accessTokenListener?.(() => {
      this.#o.onToken?.(performance.now());
      return token();
    });
  }
}

/** Ctrl+Z (⌘Z) undoes, with Shift it redoes; Ctrl+Y redoes. */
export function undoKeys(event: KeyboardEvent, stage: Stage): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) {
    return;
  }
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") {
    return;
  }
  event.preventDefault();
  if (key === "y" || event.shiftKey) {
    stage.redo();
  } else {
    stage.undo();
  }
}

function write(widget: Element, attributes: Readonly<Record<string, string>>): void {
  for (const { name } of [...widget.attributes]) {
    if (!(name in attributes)) {
      widget.removeAttribute(name);
    }
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (widget.getAttribute(name) !== value) {
      widget.setAttribute(name, value);
    }
  }
}
