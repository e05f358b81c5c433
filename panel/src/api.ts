// The panel's own server: the site-wide settings and the instance.
import type { FieldFault } from "./fault";
import { Fault } from "./fault";

export interface Settings {
  greeting: string;
}

/** Settings as they are stored, with the version that a save has to name. */
export interface Saved {
  settings: Settings;
  version: number;
}

export interface Instance {
  /** Absent until Wix has told it. name is '' for the free plan. */
  plan?: { name: string; isFree: boolean };
  instanceId?: string;
  siteDisplayName?: string;
}

/** How requests travel: with the owner's token on them. */
export interface Session {
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** Forgets the token, so that the next request carries a new one. */
  renew(): void;
}

export interface Api {
  loadSettings(): Promise<Saved>;
  saveSettings(settings: Settings, version: number): Promise<Saved>;
  loadInstance(): Promise<Instance>;
}

/** The network's failures, told from the editor's: Session.fetch rejects with it when no answer came. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

const PATIENCE = 20_000;
const RENEWABLE = ["token_expired", "token_inactive", "token_missing"];

/** base is the address of the server's api/ folder. Every method rejects with a Fault. */
export function createApi(base: URL, session: Session, now: () => number = Date.now): Api {
  async function call(path: string, init: RequestInit = {}): Promise<unknown> {
    try {
      return await once(path, init);
    } catch (fault) {
      if (!(fault instanceof Fault) || !RENEWABLE.includes(fault.code)) {
        throw fault;
      }
      // @wix/editor 1.866.0 keeps a token past its end; a new client asks the editor for another.
      session.renew();
      return once(path, init);
    }
  }

  async function once(path: string, init: RequestInit): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await session.fetch(new URL(path, base).href, {
        ...init,
        signal: AbortSignal.timeout(PATIENCE),
      });
      text = await response.text();
    } catch (cause) {
      throw new Fault(isNetwork(cause) ? "offline" : "no_token");
    }
    const body = parse(text);
    if (response.ok && body !== null) {
      return body;
    }
    throw faultOf(response, body, now());
  }

  return {
    loadSettings: async () => savedFrom(await call("settings", { cache: "no-store" })),
    saveSettings: async (settings, version) =>
      savedFrom(
        await call("settings", {
          method: "PUT",
          headers: { "Content-Type": "application/json", "If-Match": `"${version}"` },
          body: JSON.stringify(settings),
        }),
      ),
    loadInstance: async () => instanceFrom(await call("get-instance", { cache: "no-store" })),
  };
}

function isNetwork(cause: unknown): boolean {
  if (cause instanceof Unreachable) {
    return true;
  }
  const name = (cause as { name?: unknown } | null)?.name;
  return name === "TimeoutError" || name === "AbortError";
}

type Body = Record<string, unknown>;

function parse(text: string): Body | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Body) : null;
  } catch {
    return null;
  }
}

function faultOf(response: Response, body: Body | null, now: number): Fault {
  const known = typeof body?.code === "string" ? body.code : codeForStatus(response.status);
  return new Fault(known, {
    requestId: typeof body?.requestId === "string" ? body.requestId : undefined,
    fields: Array.isArray(body?.fields) ? body.fields.filter(isFieldFault) : undefined,
    retryAt: retryAt(response.headers.get("Retry-After"), now),
  });
}

/** A proxy in between answers without a code of ours. */
function codeForStatus(status: number): string {
  if (status === 412) {
    return "version_conflict";
  }
  if (status === 429) {
    return "rate_limited";
  }
  if (status === 502 || status === 503 || status === 504) {
    return "wix_unavailable";
  }
  return status >= 200 && status < 300 ? "bad_answer" : "internal";
}

function isFieldFault(value: unknown): value is FieldFault {
  const { name, reason } = (value ?? {}) as Body;
  return typeof name === "string" && typeof reason === "string";
}

/** Retry-After is a number of seconds or a date. */
function retryAt(header: string | null, now: number): number | undefined {
  if (header === null) {
    return undefined;
  }
  const at = /^\d+$/.test(header.trim()) ? now + Number(header) * 1000 : Date.parse(header);
  return at > now ? at : undefined;
}

function savedFrom(body: unknown): Saved {
  const { settings, version } = body as { settings?: Body; version?: unknown };
  if (typeof settings?.greeting !== "string" || typeof version !== "number") {
    throw new Fault("bad_answer");
  }
  return { settings: { greeting: settings.greeting }, version };
}

function instanceFrom(body: unknown): Instance {
  const { status, instance } = body as { status?: unknown; instance?: Body };
  // "No instance ID.": a verified token that belongs to no installation.
  if (status !== "Success") {
    return {};
  }
  if (typeof instance !== "object" || instance === null) {
    throw new Fault("bad_answer");
  }
  const { plan, instanceId, siteDisplayName } = instance;
  return {
    plan: planFrom(plan),
    instanceId: typeof instanceId === "string" ? instanceId : undefined,
    siteDisplayName: typeof siteDisplayName === "string" ? siteDisplayName : undefined,
  };
}

function planFrom(plan: unknown): Instance["plan"] {
  const { name, isFree } = (plan ?? {}) as Body;
  return typeof name === "string" && typeof isFree === "boolean" ? { name, isFree } : undefined;
}
