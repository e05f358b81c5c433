// The first page of the offline Wix, which a developer leaves open: its sites, and what happens
// between this Wix and the app.

import { Control } from "./control";
import { copyButtons } from "./copy";
import { boot, byId } from "./dom";
import { Lifecycle } from "./lifecycle";
import { Behavior } from "./sim/behavior";
import { type Call, callsView } from "./sim/calls";
import { Clock } from "./sim/clock";
import { type Fault, Faults } from "./sim/faults";
import { Live, type LiveState } from "./sim/live";
import { Names } from "./sim/names";
import { Sites } from "./sim/sites";
import { tabsIn } from "./sim/tabs";
import { tokens } from "./sim/tokens";
import { type Delivery, webhooksView } from "./sim/webhooks";

const { retryMs } = boot<{ retryMs: number[] }>();
const control = new Control("_sim/");
const say = (sentence: string) => {
  byId("result").textContent = sentence;
};

const rewrite = () => {
  calls.rewrite();
  webhooks.rewrite();
};
const names = new Names(control, rewrite);
const clock: Clock = new Clock(control, say, () => queueMicrotask(rewrite));
const now = () => clock.now();
const calls = callsView(control, names, now, say);
const webhooks = webhooksView(control, names, retryMs, now, say);
const faults = new Faults(control, say);
const behavior = new Behavior(control, say);
const sites = new Sites(new Lifecycle("_sim/", retryMs), names, say);
tokens(control);
copyButtons();

/** Reads everything again. What cannot be read stays as it is. */
async function reload(): Promise<void> {
  names.forget();
  await Promise.allSettled([
    calls.load(),
    webhooks.load(),
    clock.load(),
    faults.load(),
    behavior.load(),
    sites.load(),
  ]);
}

const changed: Record<string, (data: never) => void> = {
  call: (call: Call) => calls.add(call),
  delivery: (delivery: Delivery) => webhooks.add(delivery),
  install: () => sites.changed(),
  clock: (time: { now: string; aheadMs: number }) => clock.show(time),
  faults: (set: Fault[]) => faults.show(set),
  behavior: (values: Record<string, string | boolean>) => behavior.show(values),
  state: () => void reload(),
};

const states: Record<LiveState, string> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  resting: "Resting",
};
const live = new Live("_sim/events", {
  event: (name, data) => changed[name]?.(data as never),
  reload: () => void reload(),
  state: (state) => {
    const place = byId("live");
    if (place.dataset.state !== state || place.textContent !== states[state]) {
      place.dataset.state = state;
      place.textContent = states[state];
    }
  },
});

byId("refresh").addEventListener("click", async () => {
  await reload();
  say("Everything is loaded again.");
});
tabsIn(document.querySelector("[role=tablist]") as HTMLElement, ["calls", "webhooks"], (place) => {
  say("");
  calls.of(place.instance);
  webhooks.of(place.instance);
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    live.start();
  } else {
    live.rest();
  }
});
live.start();
