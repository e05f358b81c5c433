// What Wix does to the app on a site, done through the offline Wix's control API, and
// what became of the webhook that tells the app of it.

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
  /** What became of the webhook: a sentence. */
  told: string;
}

const patience = 3000; // ms to wait for the first attempt; Wix itself waits 1,250 for the answer

export class Lifecycle {
  constructor(
    private readonly base: string,
    private readonly retryMs: readonly number[],
  ) {}

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
    const installation = (await this.#ask(method, path, body)) as Outcome["installation"];
    const instanceId = removed ?? installation?.instanceId;
    const told = body.silent
      ? "Wix told no one."
      : await this.#told((d) => d.id > last && d.instanceId === instanceId);
    return { installation, told };
  }

  async #told(ours: (delivery: Delivery) => boolean): Promise<string> {
    for (const start = performance.now(); ; ) {
      const sent = (await this.#deliveries()).find(ours);
      if (!sent) {
        const { url } = (await this.#ask("GET", "webhook-url")) as { url: string };
        return url ? "Wix sends no webhook for this." : "No webhook was sent: no URL is set.";
      }
      if (sent.attempts.length > 0 || performance.now() - start > patience) {
        return deliveryState(sent, this.retryMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #deliveries(): Promise<Delivery[]> {
    return this.#ask("GET", "webhooks") as Promise<Delivery[]>;
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.base + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (answer.status === 204) {
      return null;
    }
    const read = (await answer.json()) as { error?: string };
    if (!answer.ok) {
      throw new Error(read.error ?? `the offline Wix answers ${answer.status}`);
    }
    return read;
  }
}

/** Says what became of a webhook so far. retryMs is the time from each failed attempt to the next. */
export function deliveryState(delivery: Delivery, retryMs: readonly number[]): string {
  const { eventType, state, attempts } = delivery;
  const last = attempts.at(-1);
  if (!last) {
    return `${eventType} is on its way.`;
  }
  if (state === "delivered") {
    return `${eventType} delivered in ${duration(last.durationMs)}.`;
  }
  const why = last.status ? String(last.status) : (last.error ?? "no answer");
  const next = retryMs[attempts.length - 1];
  return state === "failed" || next === undefined
    ? `${eventType} failed: ${why}, given up.`
    : `${eventType} failed: ${why}, next try in ${duration(next)}.`;
}

function duration(ms: number): string {
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

/** Says which plan the app has on the site, as an owner would put it. */
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

/** Tells whether a billing cycle is followed by another, so that its renewal can be cancelled. */
export function renews(billingCycle: string): boolean {
  return billingCycle !== "ONE_TIME" && billingCycle !== "NO_CYCLE";
}
