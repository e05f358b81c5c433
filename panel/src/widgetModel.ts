// The state of the section "This widget". It does not use the server.

import type { PropName, WidgetProps } from "./props";
import { ATTRIBUTES, DEFAULTS, formatProp, PROP_NAMES, parseProp } from "./props";
import type { Signal } from "./signal";
import { createSignal } from "./signal";
import { createWriter } from "./writer";

/** The part of @wix/editor's widget module that is used here. */
export interface WidgetPort {
  getProp(attribute: string): Promise<unknown>;
  setProp(attribute: string, value: string): Promise<unknown>;
}

export type WidgetState =
  | { status: "loading" | "no-selection" | "no-editor" | "failed" }
  | { status: "ready"; props: WidgetProps; unsent: boolean };

export interface WidgetModel {
  state: Signal<WidgetState>;
  /** Reads every attribute. The state changes once, when all have been read. */
  load(): Promise<void>;
  /** Reads the attributes again while the form stays, because of an undo in the editor. Does nothing during a write. */
  refresh(): Promise<void>;
  set<N extends PropName>(name: N, value: WidgetProps[N]): void;
  /** As set, for typing: the stage is updated when the typing pauses. */
  type<N extends PropName>(name: N, value: WidgetProps[N]): void;
  flush(): void;
  reset(): void;
  /** components is the payload of @wix/editor's componentSelectionChanged. */
  selectionChanged(components: unknown): Promise<void>;
  /** Sets settings-version on the selected widget, so that the widgets on the page load the site's settings again. */
  announceVersion(version: number): void;
}

export function createWidgetModel(port: WidgetPort, wait?: number): WidgetModel {
  const state = createSignal<WidgetState>({ status: "loading" });
  let edits = 0;
  let reads = 0;
  let selected: string | null = null;

  const writer = createWriter(
    (attribute, value) => port.setProp(attribute, value),
    (fault) => {
      if (fault !== null && faultCode(fault) === "UndefinedCompRef") {
        writer.drop();
        state.set({ status: "no-selection" });
        return;
      }
      const current = state.get();
      const unsent = fault !== null;
      if (current.status === "ready" && current.unsent !== unsent) {
        state.set({ ...current, unsent });
      }
    },
    wait,
  );

  async function read(): Promise<void> {
    const mine = ++reads;
    const before = edits;
    let next: WidgetState;
    try {
      const values = await Promise.all(
        PROP_NAMES.map(async (name) => [
          name,
          parseProp(name, await port.getProp(ATTRIBUTES[name])),
        ]),
      );
      next = { status: "ready", props: Object.fromEntries(values), unsent: false };
    } catch (fault) {
      next = { status: statusFor(fault) };
    }
    // Discarded when a newer read has started, or when the owner has edited since this one started.
    if (mine === reads && before === edits) {
      state.set(next);
    }
  }

  function edit<N extends PropName>(name: N, value: WidgetProps[N]): string | null {
    const current = state.get();
    if (current.status !== "ready") {
      return null;
    }
    edits++;
    state.set({ ...current, props: { ...current.props, [name]: value } });
    return formatProp(name, value);
  }

  const model: WidgetModel = {
    state,
    async load() {
      state.set({ status: "loading" });
      await read();
    },
    async refresh() {
      if (state.get().status === "ready" && !writer.busy()) {
        await read();
      }
    },
    set(name, value) {
      const text = edit(name, value);
      if (text !== null) {
        writer.now(ATTRIBUTES[name], text);
      }
    },
    type(name, value) {
      const text = edit(name, value);
      if (text !== null) {
        writer.later(ATTRIBUTES[name], text);
      }
    },
    flush: () => writer.flush(),
    reset() {
      for (const name of PROP_NAMES) {
        model.set(name, DEFAULTS[name]);
      }
    },
    async selectionChanged(components) {
      const first = Array.isArray(components) ? components[0] : undefined;
      if (first === undefined) {
        writer.drop();
        reads++;
        state.set({ status: "no-selection" });
        return;
      }
      const id = componentId(first);
      if (id !== null && id === selected && state.get().status === "ready") {
        return model.refresh();
      }
      selected = id;
      // Pending writes belong to the widget that was selected before.
      writer.drop();
      await model.load();
    },
    announceVersion(version) {
      if (state.get().status === "ready") {
        writer.now("settings-version", String(version));
      }
    },
  };
  return model;
}

function statusFor(fault: unknown): "no-selection" | "no-editor" | "failed" {
  switch (faultCode(fault)) {
    case "UndefinedCompRef":
      return "no-selection";
    case "IncorrectEnvironment":
      return "no-editor";
    default:
      return "failed";
  }
}

/** The code of @wix/editor's errors. Some arrive as text only: "[Widget Error]#UndefinedCompRef". */
export function faultCode(fault: unknown): string | null {
  const { code, message } = (fault ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string") {
    return code;
  }
  const text = typeof fault === "string" ? fault : message;
  return typeof text === "string" ? (/\]#(\w+)/.exec(text)?.[1] ?? null) : null;
}

function componentId(component: unknown): string | null {
  const id = (component as { id?: unknown } | null)?.id;
  return typeof id === "string" ? id : null;
}
