// The state of the settings for all widgets of the site. They are saved as they are edited: one request at a time, with
// what has changed and nothing else, under the version that the panel knows.
import type { Api, Saved } from "./api";
import type { Fault } from "./fault";
import { asFault } from "./fault";
import type { Field } from "./kinds/kind";
import { same } from "./kinds/kind";
import type { Signal } from "./signal";
import { createSignal } from "./signal";
import type { Wrong } from "./wrong";

/** One setting in the form. */
export interface Entry {
  /** What the form shows. */
  value: unknown;
  /** What the server is known to hold. */
  stored: unknown;
  /** What undo brings back: the value before the last edits of this field. */
  before?: { value: unknown };
  wrong: Wrong | null;
  progress: "" | "saving" | "saved";
  /** Set when someone else has changed the setting: stored is their value, and the owner has to choose. */
  conflict: boolean;
  /** What was sent without an answer. It may have been stored all the same. */
  sent?: readonly unknown[];
}

export type SiteState =
  | { status: "loading" }
  | { status: "failed"; fault: Fault }
  | {
      status: "ready";
      entries: Readonly<Record<string, Entry>>;
      /** Why the last save failed. */
      fault: Fault | null;
    };

export interface SiteModel {
  state: Signal<SiteState>;
  load(): Promise<void>;
  /** Takes a value, and saves at once. */
  set(name: string, value: unknown): void;
  /** Takes a value, and saves when the typing pauses. */
  type(name: string, value: unknown): void;
  /** Ends the typing: saves at once. */
  flush(): void;
  /** Goes back to the value before the last edits of a field. */
  undo(name: string): void;
  retry(): void;
  takeTheirs(name: string): void;
  keepMine(name: string): void;
  /** Sends what is not saved yet, because the page is about to end. */
  leave(): void;
}

/** onVersion is called with every version that this panel has saved or adopted. wait is in milliseconds. */
export function createSiteModel(
  api: Pick<Api, "loadSettings" | "saveSettings">,
  fields: readonly Field[],
  onVersion: (version: number) => void,
  wait = 500,
): SiteModel {
  const state = createSignal<SiteState>({ status: "loading" });
  const byName = new Map(fields.map((field) => [field.name, field]));
  let version = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending = false;
  /** Whether a save was asked for during another one. */
  let again = false;
  /** The field that is being edited, from its first change to the end of the typing. */
  let editing: string | null = null;

  function update(
    change: (entry: Entry, field: Field) => Partial<Entry>,
    fault: Fault | null = null,
  ) {
    const current = state.get();
    if (current.status !== "ready") {
      return;
    }
    const entries: Record<string, Entry> = {};
    for (const field of fields) {
      const entry = current.entries[field.name];
      if (entry) {
        entries[field.name] = { ...entry, ...change(entry, field) };
      }
    }
    state.set({ status: "ready", entries, fault });
  }

  function edit(name: string, value: unknown) {
    const isNew = editing !== name;
    editing = name;
    update((entry, field) => {
      if (field.name !== name) {
        return {};
      }
      const before = isNew ? { value: entry.value } : entry.before;
      return {
        value,
        before,
        wrong: field.check(value),
        progress: "",
        ...resolved(entry, field, value),
      };
    });
  }

  /** A conflict ends when both want the same. */
  const resolved = (entry: Entry, field: Field, value: unknown) => ({
    conflict: entry.conflict && !same(field.clean(value), field.clean(entry.stored)),
  });

  const differs = (entry: Entry, field: Field) =>
    !same(field.clean(entry.value), field.clean(entry.stored));

  /** What can be saved now. */
  function changes(): Record<string, unknown> {
    const current = state.get();
    const changed: Record<string, unknown> = {};
    for (const [name, entry] of current.status === "ready" ? Object.entries(current.entries) : []) {
      const field = byName.get(name);
      if (field && !entry.wrong && !entry.conflict && differs(entry, field)) {
        changed[name] = field.clean(entry.value);
      }
    }
    return changed;
  }

  async function save(leaving = false): Promise<void> {
    clearTimeout(timer);
    if (sending) {
      again = true;
      return;
    }
    sending = true;
    do {
      again = false;
      const changed = changes();
      if (Object.keys(changed).length === 0) {
        break;
      }
      await send(changed, leaving);
    } while (again);
    sending = false;
  }

  async function send(changed: Record<string, unknown>, leaving: boolean): Promise<void> {
    const isSent = (field: Field) => field.name in changed;
    update((entry, field) =>
      isSent(field)
        ? { progress: "saving", sent: [...(entry.sent ?? []), changed[field.name]] }
        : { progress: "" },
    );
    const known = version;
    try {
      adopt(await api.saveSettings(changed, known, leaving), changed);
    } catch (thrown) {
      const fault = asFault(thrown);
      const refused = new Map(fault.details.fields?.map(({ name, reason }) => [name, reason]));
      if (fault.code === "version_conflict") {
        await compare(known, fault);
      } else if (
        fault.code === "invalid_settings" &&
        [...refused.keys()].some((name) => name in changed)
      ) {
        update((entry, field) => {
          const words = refused.get(field.name);
          const unedited = same(field.clean(entry.value), changed[field.name]);
          return {
            progress: "",
            ...(words && unedited && { wrong: { reason: "refused", words } }),
          };
        });
        // The others were refused along with these.
        again = true;
      } else {
        fail(fault);
      }
    }
  }

  function fail(fault: Fault) {
    again = false;
    update(() => ({ progress: "" }), fault);
  }

  /** Takes the server's values. The form goes on showing what has been edited since they were sent. */
  function adopt(saved: Saved, changed: Record<string, unknown>) {
    version = saved.version;
    update((entry, field) => {
      const stored = field.parse(saved.settings[field.name]);
      const isSent = field.name in changed;
      const done = isSent && same(field.clean(entry.value), changed[field.name]);
      const follows = done
        ? !same(field.clean(entry.value), field.clean(stored))
        : !isSent && !differs(entry, field);
      return {
        stored,
        ...(follows && { value: stored }),
        progress: done ? "saved" : "",
        ...(isSent && { sent: undefined }),
      };
    });
    onVersion(version);
  }

  /** After a 412: someone else has saved, or the answer to a save of our own was lost. */
  async function compare(known: number, fault: Fault): Promise<void> {
    let theirs: Saved;
    try {
      theirs = await api.loadSettings();
    } catch (thrown) {
      return fail(asFault(thrown));
    }
    if (theirs.version === known) {
      return fail(fault); // nobody has saved: trying again would end the same way
    }
    version = theirs.version;
    update((entry, field) => {
      const stored = field.parse(theirs.settings[field.name]);
      const now = field.clean(stored);
      if (!differs(entry, field)) {
        return { stored, value: stored, progress: "" };
      }
      if (same(now, field.clean(entry.value))) {
        return { stored, progress: "saved", conflict: false, sent: undefined };
      }
      const ours = [field.clean(entry.stored), ...(entry.sent ?? [])];
      return {
        stored,
        progress: "",
        conflict: entry.conflict || !ours.some((value) => same(now, value)),
        sent: undefined,
      };
    });
    onVersion(version);
    again = true;
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => void save(), wait);
  }

  /** Ends the typing. What was typed is shown as it is stored, without spaces around it. */
  function settle() {
    editing = null;
    update(
      (entry, field) => (differs(entry, field) ? {} : { value: entry.stored }),
      faultOf(state.get()),
    );
    void save();
  }

  return {
    state,
    async load() {
      clearTimeout(timer);
      editing = null;
      state.set({ status: "loading" });
      try {
        const saved = await api.loadSettings();
        version = saved.version;
        const entries: Record<string, Entry> = {};
        for (const { name, parse } of fields) {
          const stored = parse(saved.settings[name]);
          entries[name] = { value: stored, stored, wrong: null, progress: "", conflict: false };
        }
        state.set({ status: "ready", entries, fault: null });
      } catch (thrown) {
        state.set({ status: "failed", fault: asFault(thrown) });
      }
    },
    set(name, value) {
      edit(name, value);
      void save();
    },
    type(name, value) {
      edit(name, value);
      later();
    },
    flush: settle,
    undo(name) {
      const current = state.get();
      const before = current.status === "ready" ? current.entries[name]?.before : undefined;
      if (before) {
        edit(name, before.value);
        editing = null;
        update((_, field) => (field.name === name ? { before: undefined } : {}));
        void save();
      }
    },
    retry: () => void save(),
    takeTheirs(name) {
      update((entry, field) =>
        field.name === name
          ? {
              value: entry.stored,
              before: { value: entry.value },
              wrong: null,
              conflict: false,
              progress: "saved",
            }
          : {},
      );
      editing = null;
    },
    keepMine(name) {
      update((_, field) => (field.name === name ? { conflict: false } : {}));
      void save();
    },
    leave() {
      clearTimeout(timer);
      if (!sending) {
        void save(true);
        return;
      }
      // The answer to the request under way may come too late. It makes the next version.
      again = true;
      const changed = changes();
      if (Object.keys(changed).length > 0) {
        api.saveSettings(changed, version + 1, true).catch(() => {});
      }
    },
  };
}

const faultOf = (state: SiteState) => (state.status === "ready" ? state.fault : null);

/** Whether something in the form waits for the owner. */
export function needsOwner(state: SiteState): boolean {
  return (
    state.status === "failed" ||
    (state.status === "ready" &&
      (state.fault !== null ||
        Object.values(state.entries).some(({ wrong, conflict }) => wrong !== null || conflict)))
  );
}

/** Whether undo would change a field. */
export function canUndo({ before, value, conflict }: Entry): boolean {
  return before !== undefined && !conflict && !same(before.value, value);
}
