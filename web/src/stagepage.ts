// The document of an editor's stage. It shows what the editor says, and says what happens in
// it. It may be of another origin than the editor, as on Wix.

import { id } from "../../app.json";
import { h } from "./dom";
import { undoKeys } from "./history";
import type { StageElement } from "./stage";
import type { FromStage, Opening, Scene, ToStage, WidgetState } from "./stagewire";
import { type TokenFunction, wixPage } from "./wix";

addEventListener("message", function opening({ data, source, ports: [port] }) {
  if (source === parent && port) {
    removeEventListener("message", opening);
    open(data, port);
  }
});

function open({ tag, script, siteId, language, token, scene }: Opening, port: MessagePort): void {
  const say = (message: FromStage) => port.postMessage(message);
  const tokens = new Map<number, (answer: ToStage) => void>();
  let asked = 0;
  const visitorToken: TokenFunction = () =>
    new Promise((resolve, reject) => {
      const number = ++asked;
      tokens.set(number, (answer) =>
        answer.kind === "token" ? resolve(answer.token) : reject(new Error(fault(answer))),
      );
      say({ kind: "token", id: number, at: now() });
    });

  let shown = scene;
  const view = new View(tag, say);
  port.onmessage = ({ data }: MessageEvent<ToStage>) => {
    if (data.kind === "show") {
      shown = data.scene;
      view.show(shown);
    } else {
      tokens.get(data.id)?.(data);
      tokens.delete(data.id);
    }
  };
  wixPage({
    tag,
    siteId,
    language,
    viewMode: () => (shown.editing ? "Editor" : "Preview"),
    token: token ? visitorToken : null,
  });
  report(say);
  listen(() => shown, say);
  view.show(scene);
  if (script) {
    const element = h("script", { type: script.type, src: script.url });
    element.addEventListener("error", () =>
      say({ kind: "fault", text: "The widget’s script could not be loaded." }),
    );
    document.head.append(element);
  }
}

const now = () => performance.timeOrigin + performance.now();

const fault = (answer: ToStage) => (answer.kind === "no-token" ? answer.reason : "");

/** Says what the widgets and their requests do. */
function report(say: (message: FromStage) => void): void {
  addEventListener(`${id}-state`, (event) =>
    say({ kind: "state", at: now(), state: (event as CustomEvent<WidgetState>).detail }),
  );
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      const { name, startTime, duration, responseStatus, decodedBodySize, transferSize } = entry;
      const serverTiming = entry.serverTiming.map((t) => ({
        name: t.name,
        duration: t.duration,
        description: t.description,
      }));
      say({
        kind: "request",
        at: performance.timeOrigin + startTime,
        request: { name, duration, responseStatus, decodedBodySize, transferSize, serverTiming },
      });
    }
  }).observe({ type: "resource", buffered: true });
}

/** Says what the user of the editor does. */
function listen(scene: () => Scene, say: (message: FromStage) => void): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const link = target.closest("a");
    if (link) {
      // A srcdoc page has no address of its own, so a link to a fragment would leave it.
      event.preventDefault();
      const part = link.getAttribute("href") ?? "";
      if (!scene().editing && part.startsWith("#")) {
        document.getElementById(part.slice(1))?.scrollIntoView({ block: "start" });
      }
    }
    if (scene().editing && !target.closest(".comp")) {
      say({ kind: "select", id: null });
    }
  });
  document.addEventListener("keydown", (event) => {
    const { editing, selected } = scene();
    if (!editing) {
      return;
    }
    const onElement = (event.target as Element).closest(".comp-hit");
    if ((event.key === "Delete" || event.key === "Backspace") && onElement) {
      event.preventDefault();
      if (selected) {
        say({ kind: "remove", id: selected });
      }
    } else {
      undoKeys(event, {
        undo: () => say({ kind: "undo" }),
        redo: () => say({ kind: "redo" }),
      });
    }
  });
}

/** The widgets on the page, with the editor's controls. */
class View {
  #tag: string;
  #say: (message: FromStage) => void;
  #slot: Element;

  constructor(tag: string, say: (message: FromStage) => void) {
    const slot = document.querySelector("[data-slot]");
    if (!slot) {
      throw new Error("the site has no place for widgets");
    }
    this.#tag = tag;
    this.#say = say;
    this.#slot = slot;
  }

  show({ elements, selected, editing, direction }: Scene): void {
    document.documentElement.dir = direction;
    document.body.classList.toggle("editing", editing);
    for (const box of this.#slot.querySelectorAll<HTMLElement>(".comp")) {
      if (!elements.some((element) => element.id === box.dataset.id)) {
        box.remove();
      }
    }
    elements.forEach((element, i) => {
      let box = this.#slot.querySelector<HTMLElement>(`.comp[data-id="${element.id}"]`);
      if (!box) {
        box = this.#box(element);
        this.#slot.insertBefore(box, this.#slot.children[i] ?? null);
      }
      write(box.firstElementChild as Element, element.attributes);
      decorate(box, i, editing, editing && selected === element.id);
    });
  }

  #box({ id, attributes }: StageElement): HTMLElement {
    const button = (className: string, text: string, pressed: () => void) =>
      h("button", { type: "button", class: className, onclick: pressed }, text);
    // With its attributes before it is upgraded, as Wix's pages have them.
    const widget = document.createElement(this.#tag);
    write(widget, attributes);
    const hit = button("comp-hit", "", () => this.#say({ kind: "select", id }));
    hit.addEventListener("dblclick", () => this.#say({ kind: "settings" }));
    return h(
      "div",
      { class: "comp", "data-id": id },
      widget,
      hit,
      h(
        "div",
        { class: "comp-bar", role: "group" },
        button("", "Settings", () => this.#say({ kind: "settings" })),
        button("", "Duplicate", () => this.#say({ kind: "duplicate", id })),
        button("", "Delete", () => this.#say({ kind: "remove", id })),
      ),
    );
  }
}

/** Shows or hides the editor's controls of an element. */
function decorate(box: HTMLElement, index: number, editing: boolean, selected: boolean): void {
  box.classList.toggle("selected", selected);
  const [hit, bar] = [box.children[1] as HTMLElement, box.children[2] as HTMLElement];
  hit.hidden = !editing;
  hit.setAttribute("aria-pressed", String(selected));
  hit.setAttribute("aria-label", `Select widget ${index + 1}`);
  bar.hidden = !selected;
  bar.setAttribute("aria-label", `Widget ${index + 1}`);
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
