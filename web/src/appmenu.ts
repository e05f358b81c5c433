// The owner's actions on the app as a whole, in the editor's menu and on the page with the
// plans: buy a plan, cancel it, and in the menu, remove the app and install it again.

import { reason } from "./control";
import { byId } from "./dom";
import { type AppState, type Lifecycle, type Outcome, planState, renews } from "./lifecycle";

interface Site {
  instanceId: string;
  app: AppState;
}

interface AppMenuOptions extends Site {
  wix: Lifecycle;
  /** Called after every change of the app. */
  changed?(app: AppState): void;
}

/** Returns a function that turns the menu to another site. */
export function appMenu(o: AppMenuOptions): (site: Site) => void {
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
  let { instanceId, app } = o;
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
    const site = instanceId;
    try {
      const { installation, webhook } = await request();
      const after = {
        installed: installation !== null,
        plan: installation?.plan ?? "",
        billingCycle: installation?.billingCycle ?? "",
        renewalCancelled: installation?.renewalCancelled ?? false,
      };
      o.changed?.(after);
      if (site !== instanceId) {
        return; // the menu is of another site by now
      }
      app = after;
      show();
      result.textContent = webhook;
      // The pressed button may be hidden now: the focus stays in the menu.
      if (pressed instanceof HTMLElement && menu.contains(pressed) && pressed.hidden) {
        state.focus();
      }
    } catch (error) {
      result.textContent = `Not done: ${reason(error)}.`;
    } finally {
      busy = false;
    }
  }

  const change = (what: Record<string, unknown>) =>
    act(() => o.wix.changePlan(instanceId, { ...what, silent: silent.checked }));
  buy.addEventListener("submit", (event) => {
    event.preventDefault();
    void change({ plan: plan.value.trim(), billingCycle: cycle.value });
  });
  on("cancel", () => void change({ autoRenewing: false }));
  on("renew", () => void change({ autoRenewing: true }));
  on("free", () => void change({ plan: "" }));
  on("remove", () => void act(() => o.wix.remove(instanceId, silent.checked)));
  on("install", () => void act(() => o.wix.install({ instanceId, silent: silent.checked })));
  show();
  return (site) => {
    ({ instanceId, app } = site);
    result.textContent = "";
    show();
  };
}
