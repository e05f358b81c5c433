// The state of the section "Guests greeted".
import type { Api, GuestDay } from "./api";
import type { Fault } from "./fault";
import { asFault } from "./fault";
import type { Signal } from "./signal";
import { createSignal } from "./signal";

export type GuestsState =
  | { status: "loading" }
  | { status: "failed"; fault: Fault }
  | { status: "ready"; days: GuestDay[] };

export interface GuestsModel {
  state: Signal<GuestsState>;
  load(): Promise<void>;
}

export function createGuestsModel(api: Api): GuestsModel {
  const state = createSignal<GuestsState>({ status: "loading" });
  return {
    state,
    async load() {
      state.set({ status: "loading" });
      try {
        state.set({ status: "ready", days: await api.loadGuests() });
      } catch (thrown) {
        state.set({ status: "failed", fault: asFault(thrown) });
      }
    },
  };
}

export function totalOf(days: GuestDay[]): number {
  return days.reduce((sum, { guests }) => sum + guests, 0);
}

const SMALLEST = 4;

/** The heights of the days' bars, in percent of the highest. A day with any guest has at least SMALLEST. */
export function barHeights(days: GuestDay[]): number[] {
  const most = Math.max(...days.map(({ guests }) => guests));
  return days.map(({ guests }) =>
    guests === 0 ? 0 : Math.max(SMALLEST, Math.round((guests / most) * 100)),
  );
}
