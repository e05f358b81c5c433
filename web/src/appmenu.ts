// The editor's menu with the owner's actions on the app as a whole: buy a plan, cancel it,
// remove the app, install it again.

import { byId } from "./dom";
import { type AppState, type Lifecycle, type Outcome, planState, renews } from "./lifecycle";

interface AppMenuOptions {
  instanceId: string;
  app: AppState;
  wix: Lifecycle;
  /** Called after every change of the app. */
  changed(app: AppState): void;
}

export function appMenu(o: AppMenuOptions): void {
  const menu = byId("app");
  const state = byId("app-state");
  const result = byId("app-result");
  const buy = byId<HTMLFormElement>("app-buy");
  const plan = byId<HTMLInputElement>("app-plan");
  const cycle = byId<HTMLSelectElement>("app-cycle");
  const silent = byId<HTMLInputElement>("app-silent");
  const action = (name: string) =>
    menu.querySelector<HTMLButtonElement>(`[data-do="${name}"]`) as HTMLButtonElement;
  let app = o.app;
  let busy = false;

  function show(): void {
    const paid = app.installed && app.plan !== "";
    const named = (id: string) =>
      [...cycle.options].find((option) => option.value === id)?.text ?? id;
    state.textContent = planState(app, named);
    buy.hidden = !app.installed;
    byId("app-buy-button").textContent = paid ? "Change the plan" : "Buy the plan";
    action("cancel").hidden = !paid || app.renewalCancelled || !renews(app.billingCycle);
    action("renew").hidden = !paid || !app.renewalCancelled;
    action("free").hidden = byId("app-free-note").hidden = !paid;
    action("remove").hidden = !app.installed;
    action("install").hidden = app.installed;
  }

  async function act(request: () => Promise<Outcome>): Promise<void> {
    if (busy) {
      return;
    }
    busy = true;
    result.textContent = "…";
    const pressed = document.activeElement;
    try {
      const { installation, webhook } = await request();
      app = {
        installed: installation !== null,
        plan: installation?.plan ?? "",
        billingCycle: installation?.billingCycle ?? "",
        renewalCancelled: installation?.renewalCancelled ?? false,
      };
      show();
      result.textContent = webhook;
      // The pressed button may be hidden now: the focus stays in the menu.
      if (pressed instanceof HTMLElement && menu.contains(pressed) && pressed.hidden) {
        state.focus();
      }
      o.changed(app);
    } catch (error) {
      result.textContent = `Not done: ${error instanceof Error ? error.message : String(error)}.`;
    } finally {
      busy = false;
    }
  }

  const change = (what: Record<string, unknown>) =>
    act(() => o.wix.changePlan(o.instanceId, { ...what, silent: silent.checked }));
  buy.addEventListener("submit", (event) => {
    event.preventDefault();
    void change({ plan: plan.value.trim(), billingCycle: cycle.value });
  });
  action("cancel").addEventListener("click", () => void change({ autoRenewing: false }));
  action("renew").addEventListener("click", () => void change({ autoRenewing: true }));
  action("free").addEventListener("click", () => void change({ plan: "" }));
  action("remove").addEventListener(
    "click",
    () => void act(() => o.wix.remove(o.instanceId, silent.checked)),
  );
  action("install").addEventListener(
    "click",
    () => void act(() => o.wix.install({ instanceId: o.instanceId, silent: silent.checked })),
  );
  show();
}
