// The state of something that is loaded, and can be loaded again.
import type { Fault } from "./fault";
import { asFault } from "./fault";
import type { Signal } from "./signal";
import { createSignal } from "./signal";

export type Loaded<T> =
  | { status: "loading" }
  | { status: "failed"; fault: Fault }
  | { status: "ready"; data: T };

export interface Loader<T> {
  state: Signal<Loaded<T>>;
  load(): Promise<void>;
}

export function createLoader<T>(read: () => Promise<T>): Loader<T> {
  const state = createSignal<Loaded<T>>({ status: "loading" });
  return {
    state,
    async load() {
      state.set({ status: "loading" });
      try {
        state.set({ status: "ready", data: await read() });
      } catch (thrown) {
        state.set({ status: "failed", fault: asFault(thrown) });
      }
    },
  };
}
