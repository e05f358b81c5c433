// The owner's actions on the app as a whole, in the editor's menu and on the page with the
// plans: buy a plan, cancel it, and in the menu, remove the app and install it again.

import { byId } from "./dom";
import { type AppState, type Lifecycle, type Outcome, planState, renews } from "./lifecycle";

interface AppMenuOptions {
  instanceId: string;
  app: AppState;
  wix: Lifecycle;
  /** Called after every change of the app. */
  changed?(app: AppState): void;
}

export function appMenu(o: AppMenuOptions): void {
  const menu = byId("app");
  const state = byId("app-state");
  const result = byId("app-result");
  const buy = byId<HTMLFormElement>("app-buy");
  const plan = byId<HTMLInputElement>("app-plan");
  const cycle = byId<HTMLSelectElement>("app-cycle");
  const silent = byId<HTMLInputElement>("app-silent");
  const action = (name: string) => menu.querySelector<HTMLButtonElement>(`[data-do="${name}"]`);
  const showAction = (name: string, shown: boolean) => {
    const button = action(name);
    if (button) {
      button.hidden = !shown;
    }
  };
  const on = (name: string, act: () => void) => action(name)?.addEventListener("click", act);
  let app = o.app;
  let busy = false;

  function show(): void {
    const paid = app.installed && app.plan !== "";
    const named = (id: string) =>
      [...cycle.options].find((option) => option.value === id)?.text ?? id;
    state.textContent = planState(app, named);
    buy.hidden = !app.installed;
    byId("app-buy-button").textContent = paid ? "Change the plan" : "Buy the plan";
    showAction("cancel", paid && !app.renewalCancelled && renews(app.billingCycle));
    showAction("renew", paid && app.renewalCancelled);
    showAction("free", paid);
    byId("app-free-note").hidden = !paid;
    showAction("remove", app.installed);
    showAction("install", !app.installed);
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
      o.changed?.(app);
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
  on("cancel", () => void change({ autoRenewing: false }));
  on("renew", () => void change({ autoRenewing: true }));
  on("free", () => void change({ plan: "" }));
  on("remove", () => void act(() => o.wix.remove(o.instanceId, silent.checked)));
  on(
    "install",
    () => void act(() => o.wix.install({ instanceId: o.instanceId, silent: silent.checked })),
  );
  show();
}
