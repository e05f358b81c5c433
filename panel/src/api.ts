// The panel's own server: the site-wide settings, the instance, and the app's own routes.
import type { FieldFault } from "./fault";
import { Fault } from "./fault";

/** The stored settings, with the version that a save has to name. Of a secret there is only whether one is set. */
export interface Saved {
  settings: Record<string, unknown>;
  version: number;
}

export interface Instance {
  /** Absent until the server has read it from Wix. name is '' for the free plan. */
  plan?: { name: string; isFree: boolean };
  instanceId?: string;
  siteDisplayName?: string;
  /** Wix's page with the app's plans, while the plan is not a paid one. */
  upgradeUrl?: string;
}

/** Sends requests with the owner's token. */
export interface Session {
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** As fetch, but sent before this returns: with the token of the last request. For a page that is about to end. */
  fetchNow(url: string, init?: RequestInit): Promise<Response>;
  /** Discards the token, so that the next request carries a new one. */
  renew(): void;
}

/** The app's own routes. Paths are below api/. Both reject with a Fault. */
export interface OwnApi {
  get(path: string): Promise<unknown>;
  /** body, if any, is sent as JSON. */
  send(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<unknown>;
}

export interface Api extends OwnApi {
  loadSettings(): Promise<Saved>;
  /** Changes some of the settings. With leaving it is sent at once, because the page is about to end. */
  saveSettings(
    changes: Record<string, unknown>,
    version: number,
    leaving?: boolean,
  ): Promise<Saved>;
  loadInstance(): Promise<Instance>;
}

/** Session.fetch rejects with this when no answer came, so that a network failure differs from an editor's refusal. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

const TIMEOUT = 20_000; // milliseconds
const RENEWABLE = ["token_expired", "token_inactive", "token_missing"];

/** base is the address of the server's api/ folder. Every method rejects with a Fault. */
export function createApi(base: URL, session: Session, now: () => number = Date.now): Api {
  async function call(path: string, init: RequestInit, leaving = false): Promise<unknown> {
    try {
      return await once(path, init, leaving);
    } catch (fault) {
      if (!(fault instanceof Fault) || !RENEWABLE.includes(fault.code)) {
        throw fault;
      }
      // @wix/editor 1.866.0 caches a token beyond its expiry; a new client asks the editor for another.
      session.renew();
      return once(path, init);
    }
  }

  async function once(path: string, init: RequestInit, leaving = false): Promise<unknown> {
    let response: Response;
    let text: string;
    try {
      response = await session[leaving ? "fetchNow" : "fetch"](new URL(path, base).href, {
        ...init,
        signal: AbortSignal.timeout(TIMEOUT),
      });
      text = await response.text();
    } catch (cause) {
      throw new Fault(isNetwork(cause) ? "offline" : "no_token");
    }
    if (response.status === 204) {
      return null;
    }
    const body = parse(text);
    if (response.ok && body !== null) {
      return body;
    }
    throw faultOf(response, body, now());
  }

  const get = (path: string) => call(path, { cache: "no-store" });
  const json = (body: unknown): RequestInit => ({
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

  return {
    get,
    send: (method, path, body) =>
      call(path, body === undefined ? { method } : { method, ...json(body) }),
    loadSettings: async () => savedFrom(await get("settings")),
    async saveSettings(changes, version, leaving) {
      const { headers, body } = json(changes);
      const init: RequestInit = {
        method: "PATCH",
        headers: { ...headers, "If-Match": `"${version}"` },
        body,
        // The request goes on when the panel is closed. Browsers allow that for bodies of up to 64 KB.
        keepalive: true,
      };
      return savedFrom(await call("settings", init, leaving));
    },
    loadInstance: async () => instanceFrom(await get("get-instance")),
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
  const { settings, secrets, version } = (body ?? {}) as {
    settings?: Body;
    secrets?: Body;
    version?: unknown;
  };
  if (typeof settings !== "object" || settings === null || typeof version !== "number") {
    throw new Fault("bad_answer");
  }
  return { settings: { ...settings, ...secrets }, version };
}

function instanceFrom(body: unknown): Instance {
  const { status, instance } = (body ?? {}) as { status?: unknown; instance?: Body };
  // "No instance ID.": a verified token that belongs to no installation.
  if (status !== "Success") {
    return {};
  }
  if (typeof instance !== "object" || instance === null) {
    throw new Fault("bad_answer");
  }
  const { plan, instanceId, siteDisplayName, upgradeUrl } = instance;
  return {
    plan: planFrom(plan),
    instanceId: textFrom(instanceId),
    siteDisplayName: textFrom(siteDisplayName),
    // A link of any other kind could run a script.
    upgradeUrl: /^https?:/.test(textFrom(upgradeUrl) ?? "") ? textFrom(upgradeUrl) : undefined,
  };
}

const textFrom = (value: unknown) => (typeof value === "string" ? value : undefined);

function planFrom(plan: unknown): Instance["plan"] {
  const { name, isFree } = (plan ?? {}) as Body;
  return typeof name === "string" && typeof isFree === "boolean" ? { name, isFree } : undefined;
}
