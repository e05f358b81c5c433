// Installs and removes the app and changes its plan through the offline Wix's control
// API, and reports the delivery of the webhook about it.

import { Control } from "./control";

export interface AppState {
  installed: boolean;
  /** The paid plan's id, or "" for the free plan. */
  plan: string;
  billingCycle: string;
  renewalCancelled: boolean;
}

export interface Delivery {
  id: number;
  eventType: string;
  instanceId: string;
  state: "pending" | "delivered" | "failed";
  attempts: { status?: number; error?: string; durationMs: number }[];
}

export interface Outcome {
  /** The installation after it, or null after a removal. */
  installation: (Partial<AppState> & { instanceId: string; siteDisplayName: string }) | null;
  /** The state of the webhook, as a sentence. */
  webhook: string;
}

const attemptTimeout = 3000; // ms to wait for the first attempt; Wix waits 1,250 ms for the answer

const latest = 100; // webhooks among which the one of a change is: others may be sent at the same time

export class Lifecycle {
  readonly #wix: Control;

  /** base is the address of the control API. */
  constructor(
    base: string,
    private readonly retryMs: readonly number[],
  ) {
    this.#wix = new Control(base);
  }

  install(site: Record<string, unknown>): Promise<Outcome> {
    return this.#do("POST", "installs", site);
  }

  remove(instanceId: string, silent = false): Promise<Outcome> {
    return this.#do("DELETE", `installs/${encodeURIComponent(instanceId)}`, { silent }, instanceId);
  }

  changePlan(instanceId: string, change: Record<string, unknown>): Promise<Outcome> {
    return this.#do("PUT", `installs/${encodeURIComponent(instanceId)}/plan`, change);
  }

  async #do(
    method: string,
    path: string,
    body: Record<string, unknown>,
    removed?: string,
  ): Promise<Outcome> {
    const last = (await this.#deliveries()).at(-1)?.id ?? 0;
    const installation = await this.#wix.ask<Outcome["installation"]>(method, path, body);
    const instanceId = removed ?? installation?.instanceId;
    const webhook = body.silent
      ? "No webhook was sent."
      : await this.#webhook((d) => d.id > last && d.instanceId === instanceId);
    return { installation, webhook };
  }

  async #webhook(ours: (delivery: Delivery) => boolean): Promise<string> {
    for (const start = performance.now(); ; ) {
      const sent = (await this.#deliveries()).find(ours);
      if (!sent) {
        const { url } = await this.#wix.ask<{ url: string }>("GET", "webhook-url");
        return url ? "Wix sends no webhook for this." : "No webhook was sent: no URL is set.";
      }
      if (sent.attempts.length > 0 || performance.now() - start > attemptTimeout) {
        return deliveryState(sent, this.retryMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #deliveries(): Promise<Delivery[]> {
    return this.#wix.ask("GET", `webhooks?limit=${latest}`);
  }
}

/** The state of a webhook, as a sentence. retryMs are the times after each failed attempt. */
export function deliveryState(delivery: Delivery, retryMs: readonly number[]): string {
  const { eventType, state, attempts } = delivery;
  const last = attempts.at(-1);
  if (!last) {
    return `${eventType} is being sent.`;
  }
  if (state === "delivered") {
    return `${eventType} delivered in ${duration(last.durationMs)}.`;
  }
  const why = last.status ? String(last.status) : (last.error ?? "no answer");
  const next = retryMs[attempts.length - 1];
  return state === "failed" || next === undefined
    ? `${eventType} failed: ${why}, no further retry.`
    : `${eventType} failed: ${why}, retry in ${duration(next)}.`;
}

/** A duration in its largest unit, rounded. */
export function duration(ms: number): string {
  if (ms < 1000) {
    return `${Math.max(1, Math.round(ms))} ms`;
  }
  if (ms < 60_000) {
    return `${Math.round(ms / 1000)} s`;
  }
  if (ms < 3_600_000) {
    return `${Math.round(ms / 60_000)} min`;
  }
  return `${Math.round(ms / 3_600_000)} h`;
}

/** The app's plan on the site, as a sentence for the owner. */
export function planState(app: AppState, cycle: (id: string) => string): string {
  if (!app.installed) {
    return "Not installed.";
  }
  if (!app.plan) {
    return "Free plan.";
  }
  const end = app.renewalCancelled ? ", ends with the billing cycle" : "";
  return `Plan ${app.plan}, ${cycle(app.billingCycle).toLowerCase()}${end}.`;
}

/** Whether a billing cycle is renewed, so that the renewal can be canceled. */
export function renews(billingCycle: string): boolean {
  return billingCycle !== "ONE_TIME" && billingCycle !== "NO_CYCLE";
}
