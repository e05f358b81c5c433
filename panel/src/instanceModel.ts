// The state of the section that says whose panel this is.
import type { Api, Instance } from "./api";
import type { Store } from "./store";
import { createStore } from "./store";

export type InstanceState =
  | { status: "loading" | "failed" }
  | { status: "ready"; instance: Instance };

export interface InstanceModel {
  state: Store<InstanceState>;
  load(): Promise<void>;
}

export function createInstanceModel(api: Api): InstanceModel {
  const state = createStore<InstanceState>({ status: "loading" });
  return {
    state,
    async load() {
      state.set({ status: "loading" });
      try {
        state.set({ status: "ready", instance: await api.loadInstance() });
      } catch {
        // The section beside this one says what is wrong and offers the way out.
        state.set({ status: "failed" });
      }
    },
  };
}
