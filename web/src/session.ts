// The client of the demo's API: a session of the demo's own Wix, its tokens, its log of calls.

import type { AccessToken } from "./host";

export interface Session {
  session: string;
  instanceId: string;
  siteId: string;
  appId: string;
  tag: string;
  widgetUrl: string;
  panelUrl: string;
  expiresAt: string;
}

export interface Call {
  method: string;
  path: string;
  status: number;
  at: string;
  durationMs: number;
}

/** Thrown when the session has ended. A new session works again. */
class SessionLost extends Error {}

/** A session that is replaced by a new one when it has ended. The tab keeps it for the next load of the page. */
export class DemoSession {
  #api: DemoApi;
  #session: Session;
  #replaced: () => void = () => {};

  private constructor(
    api: DemoApi,
    session: Session,
    /** The number of calls to Wix before this load of the page. */
    readonly callsBefore: number,
  ) {
    this.#api = api;
    this.#session = session;
  }

  /** base is the address of the demo, with a slash at its end. */
  static async open(base: string): Promise<DemoSession> {
    const api = new DemoApi(base);
    const earlier = api.earlier();
    if (earlier) {
      try {
        return new DemoSession(api, earlier, (await api.calls(earlier)).length);
      } catch (error) {
        if (!(error instanceof SessionLost)) {
          throw error;
        }
      }
    }
    return new DemoSession(api, await api.create(), 0);
  }

  get current(): Session {
    return this.#session;
  }

  /** Sets what to do when a new session has replaced one that ended. */
  onReplaced(callback: () => void): void {
    this.#replaced = callback;
  }

  token(subject: "VISITOR" | "USER"): Promise<AccessToken> {
    return this.#run((session) => this.#api.token(session, subject));
  }

  /** Replaces the session if it has ended. */
  async renew(): Promise<void> {
    await this.#run((session) => this.#api.calls(session));
  }

  /** The calls to Wix so far. Rejects when the session has ended. */
  calls(): Promise<Call[]> {
    return this.#api.calls(this.#session);
  }

  async #run<T>(request: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await request(this.#session);
    } catch (error) {
      if (!(error instanceof SessionLost)) {
        throw error;
      }
      this.#session = await this.#api.create();
      this.#replaced();
      return request(this.#session);
    }
  }
}

class DemoApi {
  constructor(private readonly base: string) {}

  async create(): Promise<Session> {
    const session = await this.#request<Session>("sessions", { method: "POST" });
    try {
      sessionStorage.setItem(this.base, JSON.stringify(session));
    } catch {
      // A browser without storage gets a new session at each load.
    }
    return session;
  }

  /** The session that this tab had. It may have ended. */
  earlier(): Session | null {
    try {
      return JSON.parse(sessionStorage.getItem(this.base) ?? "null");
    } catch {
      return null;
    }
  }

  token(session: Session, subject: "VISITOR" | "USER"): Promise<AccessToken> {
    return this.#request(`sessions/${encodeURIComponent(session.session)}/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ subject }),
    });
  }

  async calls(session: Session): Promise<Call[]> {
    const path = `sessions/${encodeURIComponent(session.session)}/calls`;
    return (await this.#request<{ calls: Call[] }>(path, {})).calls;
  }

  async #request<T>(path: string, init: RequestInit): Promise<T> {
    const answer = await fetch(this.base + path, init);
    if (answer.ok) {
      return (await answer.json()) as T;
    }
    if (answer.status === 404 || answer.status === 410) {
      throw new SessionLost("The demo’s session has ended. Reload the page to start a new one.");
    }
    if (answer.status === 429) {
      throw new Error(`The demo has no free session for you at the moment. ${again(answer)}`);
    }
    throw new Error("The demo does not work at the moment. Reload the page to try again.");
  }
}

/** When to try again, as the server says. */
function again(answer: Response): string {
  const minutes = Math.ceil(Number(answer.headers.get("Retry-After")) / 60);
  return minutes > 1
    ? `The next one is free in ${minutes} minutes.`
    : "The next one is free in a minute.";
}
