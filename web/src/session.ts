// The demo's own Wix, as the page reaches it: a session, its tokens, its log of calls.

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

/** Says that the demo has ended for this session, which a new session mends. */
export class SessionLost extends Error {}

export class DemoClient {
  constructor(private readonly base: string) {}

  create(): Promise<Session> {
    return this.#ask("sessions", { method: "POST" });
  }

  token(session: Session, subject: "VISITOR" | "USER"): Promise<AccessToken> {
    return this.#ask(`sessions/${encodeURIComponent(session.session)}/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ subject }),
    });
  }

  async calls(session: Session): Promise<Call[]> {
    const path = `sessions/${encodeURIComponent(session.session)}/calls`;
    return (await this.#ask<{ calls: Call[] }>(path, {})).calls;
  }

  async #ask<T>(path: string, init: RequestInit): Promise<T> {
    const answer = await fetch(this.base + path, init);
    if (answer.ok) {
      return (await answer.json()) as T;
    }
    if (answer.status === 404 || answer.status === 410) {
      throw new SessionLost("the session has ended");
    }
    if (answer.status === 429) {
      throw new Error("Many people are trying the demo just now. Try again in a minute.");
    }
    throw new Error("The demo does not answer as it should. Reload the page to try again.");
  }
}
