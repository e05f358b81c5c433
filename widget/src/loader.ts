// One request for all copies of the widget on a page: when to ask, how often, and
// what came of it.

import { text } from "./attributes";

/** Gives the visitor's access token; the host may hand out a fresh one at every call. */
export type TokenFunction = () => string | Promise<string>;

export type State = "idle" | "loading" | "ready" | "failed";

/** What the server said; kept through a refresh and its failure. */
export interface Known {
  greeting: string;
  /** The site's name; undefined when the token belongs to no site, "" when it has no name. */
  site?: string;
}

export interface View {
  state: State;
  /** The server's error code, or token_unavailable, bad_response, network, timeout; no_instance when ready. */
  code?: string;
  requestId?: string;
  /** Seconds for which the server asks to be left alone; 0 once they are over. */
  wait?: number;
  known?: Known;
}

export interface Loader {
  view(): View;
  /** The copy wants the answer now; without a token or with an answer there is nothing to do. */
  want(copy: object, version: string | null): void;
  /** The copy is gone. The last one that wanted the answer takes the request with it. */
  drop(copy: object): void;
  /** The settings have changed: one new request, however many copies say so at once. */
  refresh(version: string | null): void;
  retry(): void;
  /** A token has arrived. */
  wake(): void;
}

/** The whole of an attempt must be done by then, the host's token function included. */
export const deadline = 10_000;

const longestWait = 3600;

/**
 * @param api the API's address, with a slash at its end
 * @param token the page's token function, once there is one
 * @param changed is called after every change of the view
 */
export function createLoader(
  api: string,
  token: () => TokenFunction | undefined,
  changed: () => void,
): Loader {
  const wanting = new Set<object>();
  let view: View = { state: "idle" };
  let version: string | null = null;
  let running: AbortController | undefined;
  // An answer that the browser has kept will do, until somebody asks for another.
  let cache: RequestCache = "default";

  const show = (next: View) => {
    view = { known: view.known, ...next };
    changed();
  };

  const stop = () => {
    running?.abort();
    running = undefined;
  };

  const wake = () => {
    if (view.state === "idle" && wanting.size && token()) {
      load();
    }
  };

  const load = async () => {
    const run = new AbortController();
    running = run;
    show({ state: "loading" });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const result = await new Promise<View>((resolve) => {
      const fail = (code: string) => () => resolve({ state: "failed", code });
      timer = setTimeout(fail("timeout"), deadline);
      run.signal.onabort = fail("aborted");
      ask(run.signal).then(resolve, fail("network"));
    });
    clearTimeout(timer);
    // Cancelled or overtaken by a newer run: this one has nothing to say.
    if (running !== run) {
      return;
    }
    stop(); // ends the request that the deadline has left behind
    show(result);
    if (result.wait) {
      const shown = view;
      setTimeout(() => view === shown && show({ ...shown, wait: 0 }), result.wait * 1000);
    }
  };

  const ask = async (signal: AbortSignal): Promise<View> => {
    const answer = await attempt(signal);
    // The host may have handed out a token just before its end; a second one will do.
    return answer.code === "token_expired" ? attempt(signal) : answer;
  };

  const attempt = async (signal: AbortSignal): Promise<View> => {
    let bearer: unknown;
    try {
      bearer = await token()?.();
    } catch {
      // Told below: the host's reason is of no use to a visitor.
    }
    if (!text(bearer)) {
      return { state: "failed", code: "token_unavailable" };
    }
    const url = new URL("get-instance", api);
    if (version !== null) {
      url.searchParams.set("v", version);
    }
    const response = await fetch(url, {
      headers: { Authorization: bearer as string },
      credentials: "omit",
      cache,
      signal,
    });
    return read(response);
  };

  return {
    view: () => view,
    wake,
    want(copy, itsVersion) {
      wanting.add(copy);
      if (view.state === "idle") {
        version = itsVersion ?? version;
        wake();
      }
    },
    drop(copy) {
      if (wanting.delete(copy) && !wanting.size && view.state !== "ready") {
        stop();
        show({ state: "idle" });
      }
    },
    refresh(newVersion) {
      // Three copies told in one go are one change.
      if (view.state === "loading" && newVersion === version) {
        return;
      }
      version = newVersion;
      cache = "no-cache";
      stop();
      view = { state: "idle", known: view.known };
      wake();
      if (view.state === "idle") {
        changed();
      }
    },
    retry() {
      if (view.state === "failed" && !view.wait) {
        cache = "no-cache";
        load();
      }
    },
  };
}

async function read(response: Response): Promise<View> {
  // biome-ignore lint/suspicious/noExplicitAny: every field of it is checked before use
  let body: any;
  try {
    body = await response.json();
  } catch {
    // A proxy's page, or half an answer: body stays undefined.
  }
  const requestId = text(body?.requestId) || response.headers.get("X-Request-Id") || undefined;
  if (!response.ok) {
    const wait = Number(response.headers.get("Retry-After"));
    return {
      state: "failed",
      code: text(body?.code) || `http_${response.status}`,
      requestId,
      wait: wait > 0 ? Math.min(Math.ceil(wait), longestWait) : 0,
    };
  }
  switch (body?.status) {
    case "Success":
      return {
        state: "ready",
        requestId,
        known: {
          greeting: text(body.settings?.greeting),
          site: text(body.instance?.siteDisplayName),
        },
      };
    case "No instance ID.":
      return { state: "ready", code: "no_instance", requestId, known: { greeting: "" } };
  }
  return { state: "failed", code: "bad_response", requestId };
}
