// The state of the section "About this app".
import type { Api, Instance } from "./api";
import type { Signal } from "./signal";
import { createSignal } from "./signal";

type InstanceState = { status: "loading" | "failed" } | { status: "ready"; instance: Instance };

export interface InstanceModel {
  state: Signal<InstanceState>;
  load(): Promise<void>;
}

export function createInstanceModel(api: Api): InstanceModel {
  const state = createSignal<InstanceState>({ status: "loading" });
  return {
    state,
    async load() {
      state.set({ status: "loading" });
      try {
        state.set({ status: "ready", instance: await api.loadInstance() });
      } catch {
        // What fails here fails in the section "All widgets on this site" too, which shows the notice.
        state.set({ status: "failed" });
      }
    },
  };
}
