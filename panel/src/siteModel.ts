// The state of the section "All widgets on this site": loading, editing, saving, and the conflict of two saves.
import type { Api, Saved } from "./api";
import type { Fault } from "./fault";
import { asFault } from "./fault";
import type { Signal } from "./signal";
import { createSignal } from "./signal";

export const MAX_GREETING = 80;

/** Why a greeting cannot be saved. 'refused' carries the server's reason. */
export type GreetingFault =
  | { reason: "empty" | "long" | "control" }
  | { reason: "refused"; words: string };

/** The form with the greeting. */
export interface Editing {
  status: "ready" | "saving" | "saved";
  saved: Saved;
  draft: string;
  invalid: GreetingFault | null;
  /** Why the last save failed. */
  fault: Fault | null;
}

export type SiteState =
  | { status: "loading" }
  | { status: "failed"; fault: Fault }
  | Editing
  | { status: "conflict"; theirs: Saved; draft: string };

export interface SiteModel {
  state: Signal<SiteState>;
  load(): Promise<void>;
  edit(draft: string): void;
  save(): Promise<void>;
  takeTheirs(): void;
  keepMine(): Promise<void>;
}

/** onVersion is called with every version that this panel has saved or adopted. */
export function createSiteModel(api: Api, onVersion: (version: number) => void): SiteModel {
  const state = createSignal<SiteState>({ status: "loading" });

  function ready(saved: Saved, draft: string, fault: Fault | null = null): Editing {
    return { status: "ready", saved, draft, invalid: greetingFault(draft), fault };
  }

  async function put(saved: Saved, draft: string): Promise<void> {
    state.set({ status: "saving", saved, draft, invalid: null, fault: null });
    const greeting = draft.trim();
    try {
      adopt(await api.saveSettings({ ...saved.settings, greeting }, saved.version));
    } catch (thrown) {
      const fault = asFault(thrown);
      if (fault.code === "version_conflict") {
        return compare(saved, draft);
      }
      const words = fault.details.fields?.map((field) => field.reason).join("; ");
      if (fault.code === "invalid_settings" && words) {
        state.set({ ...ready(saved, draft), invalid: { reason: "refused", words } });
      } else {
        state.set(ready(saved, draft, fault));
      }
    }
  }

  /** After a 412: someone else has saved, or the answer to our own save was lost. */
  async function compare(saved: Saved, draft: string): Promise<void> {
    try {
      const theirs = await api.loadSettings();
      if (theirs.settings.greeting === draft.trim()) {
        adopt(theirs);
      } else {
        state.set({ status: "conflict", theirs, draft });
      }
    } catch (thrown) {
      state.set(ready(saved, draft, asFault(thrown)));
    }
  }

  function adopt(saved: Saved): void {
    state.set({ ...ready(saved, saved.settings.greeting), status: "saved" });
    onVersion(saved.version);
  }

  return {
    state,
    async load() {
      state.set({ status: "loading" });
      try {
        const saved = await api.loadSettings();
        state.set(ready(saved, saved.settings.greeting));
      } catch (thrown) {
        state.set({ status: "failed", fault: asFault(thrown) });
      }
    },
    edit(draft) {
      const current = state.get();
      if (current.status === "ready" || current.status === "saved") {
        state.set(ready(current.saved, draft));
      }
    },
    async save() {
      const current = state.get();
      if (canSave(current)) {
        await put(current.saved, current.draft);
      }
    },
    takeTheirs() {
      const current = state.get();
      if (current.status === "conflict") {
        adopt(current.theirs);
      }
    },
    async keepMine() {
      const current = state.get();
      if (current.status === "conflict") {
        await put(current.theirs, current.draft);
      }
    },
  };
}

export function canSave(state: SiteState): state is Editing {
  return (
    (state.status === "ready" || state.status === "saved") &&
    greetingFault(state.draft) === null &&
    isChanged(state)
  );
}

export function isChanged(state: Editing): boolean {
  return state.draft.trim() !== state.saved.settings.greeting;
}

/** The server's rule (1 to 80 code points, no control characters), checked before asking it. */
export function greetingFault(draft: string): GreetingFault | null {
  const greeting = draft.trim();
  if (greeting === "") {
    return { reason: "empty" };
  }
  if (charactersIn(greeting) > MAX_GREETING) {
    return { reason: "long" };
  }
  return /\p{Cc}/u.test(greeting) ? { reason: "control" } : null;
}

export function charactersIn(text: string): number {
  return [...text].length;
}
