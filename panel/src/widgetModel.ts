// The state of the section "This widget". It does not use the server.

import type { Field } from "./kinds/kind";
import type { Signal } from "./signal";
import { createSignal } from "./signal";
import { createWriter } from "./writer";
import type { Wrong } from "./wrong";

/** The part of @wix/editor's widget module that is used here. */
export interface WidgetPort {
  getProp(attribute: string): Promise<unknown>;
  setProp(attribute: string, value: string): Promise<unknown>;
}

export type WidgetState =
  | { status: "loading" | "no-selection" | "no-editor" | "failed" }
  | {
      status: "ready";
      values: Readonly<Record<string, unknown>>;
      /** What is wrong with values that have not been written because of it. */
      wrong: Readonly<Record<string, Wrong>>;
      /** Whether the editor has refused the last write. */
      unsent: boolean;
    };

export interface WidgetModel {
  state: Signal<WidgetState>;
  /** Reads every attribute. The state changes once, when all have been read. */
  load(): Promise<void>;
  /**
   * Reads the attributes again while the form stays, because of an undo in the editor. Does nothing during a write, and
   * leaves what is being corrected.
   */
  refresh(): Promise<void>;
  set(name: string, value: unknown): void;
  /** As set, for typing: the stage is updated when the typing pauses. */
  type(name: string, value: unknown): void;
  flush(): void;
  reset(): void;
  /** components is the payload of @wix/editor's componentSelectionChanged. */
  selectionChanged(components: unknown): Promise<void>;
  /** Sets settings-version on the selected widget, so that the widgets on the page load the site's settings again. */
  announceVersion(version: number): void;
}

/** fields are those with an attribute. */
export function createWidgetModel(
  port: WidgetPort,
  fields: readonly Field[],
  wait?: number,
): WidgetModel {
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

  async function read(keep = false): Promise<void> {
    const mine = ++reads;
    const before = edits;
    let next: WidgetState;
    try {
      const values = await Promise.all(
        fields.map(async (field) => [
          field.name,
          field.parse(await port.getProp(attributeOf(field))),
        ]),
      );
      next = { status: "ready", values: Object.fromEntries(values), wrong: {}, unsent: false };
    } catch (fault) {
      next = { status: statusFor(fault) };
    }
    // Discarded when a newer read has started, or when the owner has edited since this one started.
    if (mine === reads && before === edits) {
      state.set(keep ? withDrafts(next, state.get()) : next);
    }
  }

  /** Returns what is to be written: the attribute and its text. */
  function edit(name: string, value: unknown): [string, string] | null {
    const current = state.get();
    const field = fields.find((one) => one.name === name);
    if (current.status !== "ready" || !field) {
      return null;
    }
    edits++;
    const fault = field.check(value);
    const { [name]: _, ...others } = current.wrong;
    state.set({
      ...current,
      values: { ...current.values, [name]: value },
      wrong: fault ? { ...others, [name]: fault } : others,
    });
    return fault ? null : [attributeOf(field), field.format(value)];
  }

  const model: WidgetModel = {
    state,
    async load() {
      state.set({ status: "loading" });
      await read();
    },
    async refresh() {
      if (state.get().status === "ready" && !writer.busy()) {
        await read(true);
      }
    },
    set(name, value) {
      const written = edit(name, value);
      if (written) {
        writer.now(...written);
      }
    },
    type(name, value) {
      const written = edit(name, value);
      if (written) {
        writer.later(...written);
      }
    },
    flush: () => writer.flush(),
    reset() {
      for (const { name, parse } of fields) {
        model.set(name, parse(null));
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

const attributeOf = (field: Field) => field.attribute ?? field.name;

/** What has been read, but for the values that are being corrected. */
function withDrafts(read: WidgetState, form: WidgetState): WidgetState {
  if (read.status !== "ready" || form.status !== "ready") {
    return read;
  }
  const drafts = Object.keys(form.wrong).map((name) => [name, form.values[name]]);
  return { ...read, values: { ...read.values, ...Object.fromEntries(drafts) }, wrong: form.wrong };
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
