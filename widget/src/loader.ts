// One request for all copies of the widget on a page: when to send it, when to send
// it again, and its result.

import { text } from "./attributes";

/** Returns the visitor's access token. The host may return a new one at every call. */
export type TokenFunction = () => string | Promise<string>;

export type State = "idle" | "loading" | "ready" | "failed";

/** The server's last answer. It stays while a refresh runs, and when the refresh fails. */
export interface Answer {
  greeting: string;
  /** The site's name; undefined when the token belongs to no site, "" when it has no name. */
  site?: string;
}

export interface View {
  state: State;
  /** The server's error code, or token_unavailable, bad_response, network, timeout; when ready, no_instance or none. */
  code?: string;
  requestId?: string;
  /** The server's Retry-After in seconds; 0 once they have passed. */
  wait?: number;
  answer?: Answer;
}

export interface Loader {
  view(): View;
  /** Registers a copy that needs the answer now. The request starts once there is a token. */
  add(copy: object, version: string | null): void;
  /** Removes a copy. The request is canceled with the last one. */
  remove(copy: object): void;
  /** The settings have changed. Calls by several copies at once make one request. */
  refresh(version: string | null): void;
  retry(): void;
  /** A token has arrived. */
  wake(): void;
}

/** Milliseconds for an attempt and its repetition, the host's token function included. */
export const deadline = 10_000;

const longestWait = 3600; // seconds

/**
 * @param api the API's address, with a slash at its end
 * @param token the page's token function, once there is one
 * @param changed called after every change of the view
 */
export function createLoader(
  api: string,
  token: () => TokenFunction | undefined,
  changed: () => void,
): Loader {
  const copies = new Set<object>();
  let view: View = { state: "idle" };
  let version: string | null = null;
  let running: AbortController | undefined;
  // The browser's cached answer is used until a retry or a refresh.
  let cache: RequestCache = "default";

  const show = (next: View) => {
    view = { answer: view.answer, ...next };
    changed();
  };

  const stop = () => {
    running?.abort();
    running = undefined;
  };

  const wake = () => {
    if (view.state === "idle" && copies.size && token()) {
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
    // Canceled, or replaced by a newer run: this result is discarded.
    if (running !== run) {
      return;
    }
    stop(); // aborts the request that is still running after the deadline
    show(result);
    if (result.wait) {
      const shown = view;
      setTimeout(() => view === shown && show({ ...shown, wait: 0 }), result.wait * 1000);
    }
  };

  const ask = async (signal: AbortSignal): Promise<View> => {
    const answer = await attempt(signal);
    // The token may have expired on its way here. The host's next one is tried once.
    return answer.code === "token_expired" ? attempt(signal) : answer;
  };

  const attempt = async (signal: AbortSignal): Promise<View> => {
    let bearer: unknown;
    try {
      bearer = await token()?.();
    } catch {
      // Reported below: the host's reason does not help a visitor.
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
    add(copy, itsVersion) {
      copies.add(copy);
      if (view.state === "idle") {
        version = itsVersion ?? version;
        wake();
      }
    },
    remove(copy) {
      if (copies.delete(copy) && !copies.size && view.state !== "ready") {
        stop();
        show({ state: "idle" });
      }
    },
    refresh(newVersion) {
      // Several copies report the same change.
      if (view.state === "loading" && newVersion === version) {
        return;
      }
      version = newVersion;
      cache = "no-cache";
      stop();
      view = { state: "idle", answer: view.answer };
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
  // biome-ignore lint/suspicious/noExplicitAny: every field is checked before use
  let body: any;
  try {
    body = await response.json();
  } catch {
    // A proxy's page, or a truncated answer: body stays undefined.
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
        answer: {
          greeting: text(body.settings?.greeting),
          site: text(body.instance?.siteDisplayName),
        },
      };
    case "No instance ID.":
      return { state: "ready", code: "no_instance", requestId, answer: { greeting: "" } };
  }
  return { state: "failed", code: "bad_response", requestId };
}
