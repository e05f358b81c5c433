// The panel's own server: the site-wide settings, the instance, and the guests of the last days.
import type { FieldFault } from "./fault";
import { Fault } from "./fault";

/** The site's settings. Those that this panel does not show are saved as they were. */
export interface Settings {
  greeting: string;
  [name: string]: unknown;
}

/** The stored settings, with the version that a save has to name. */
export interface Saved {
  settings: Settings;
  version: number;
}

export interface Instance {
  /** Absent until the server has read it from Wix. name is '' for the free plan. */
  plan?: { name: string; isFree: boolean };
  instanceId?: string;
  siteDisplayName?: string;
}

/** How many guests the site's widgets greeted on one day. */
export interface GuestDay {
  /** The day in UTC, as YYYY-MM-DD. */
  day: string;
  guests: number;
}

/** Sends requests with the owner's token. */
export interface Session {
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** Discards the token, so that the next request carries a new one. */
  renew(): void;
}

export interface Api {
  loadSettings(): Promise<Saved>;
  saveSettings(settings: Settings, version: number): Promise<Saved>;
  loadInstance(): Promise<Instance>;
  /** The last seven days, the oldest first. */
  loadGuests(): Promise<GuestDay[]>;
}

/** Session.fetch rejects with this when no answer came, so that a network failure differs from an editor's refusal. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

const TIMEOUT = 20_000; // milliseconds
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
      // @wix/editor 1.866.0 caches a token beyond its expiry; a new client asks the editor for another.
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
        signal: AbortSignal.timeout(TIMEOUT),
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
    loadGuests: async () => guestsFrom(await call("guests", { cache: "no-store" })),
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
    sentence: typeof body?.error === "string" ? body.error : undefined,
    requestId: typeof body?.requestId === "string" ? body.requestId : undefined,
    fields: Array.isArray(body?.fields) ? body.fields.filter(isFieldFault) : undefined,
    retryAt: retryAt(response.headers.get("Retry-After"), now),
  });
}

/** The code for an answer without one, such as a proxy's. */
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
  return { settings: { ...settings, greeting: settings.greeting }, version };
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

function guestsFrom(body: unknown): GuestDay[] {
  const { days } = body as { days?: unknown };
  if (!Array.isArray(days) || !days.every(isGuestDay)) {
    throw new Fault("bad_answer");
  }
  return days.map(({ day, guests }) => ({ day, guests }));
}

function isGuestDay(value: unknown): value is GuestDay {
  const { day, guests } = (value ?? {}) as Body;
  return (
    typeof day === "string" &&
    /^\d{4}-\d{2}-\d{2}$/.test(day) &&
    !Number.isNaN(Date.parse(day)) &&
    Number.isInteger(guests) &&
    (guests as number) >= 0
  );
}
