// One request for all copies of the widget on a page: when to send it, when to send
// it again, and its result.

import { text } from "./kinds";
import type { Answer, Ask, Reply, Result } from "./types";

/** Returns the visitor's access token. The host may return a new one at every call. */
export type TokenFunction = () => string | Promise<string>;

export interface Loader {
  view(): Result;
  /** Registers a copy that needs the answer now. It may be called again, and must be once there is a token. */
  add(copy: object, version: string | null): void;
  /** Removes a copy. The request is canceled with the last one. */
  remove(copy: object): void;
  /** The settings have changed. Calls by several copies at once make one request. */
  change(version: string | null): void;
  /** Asks again, whatever the state. */
  refresh(): void;
  retry(): void;
  /** Sends a request below api/ with the visitor's token. It never rejects. */
  ask(path: string, init: Ask, signal: AbortSignal): Promise<Reply>;
}

/** Milliseconds for an attempt and its repetition, the host's token function included. */
export const deadline = 10_000;

const longestWait = 3600; // seconds

/**
 * @param api the API's address, with a slash at its end; without one every request fails
 * @param token the page's token function, once there is one
 * @param changed called after every change of the view
 */
export function createLoader(
  api: string | undefined,
  token: () => TokenFunction | undefined,
  changed: () => void,
): Loader {
  const copies = new Set<object>();
  let view: Result = { state: "idle" };
  let version: string | null = null;
  let running: AbortController | undefined;
  // The browser's cached answer is used until a retry or a refresh.
  let cache: RequestCache = "default";

  const show = (next: Result) => {
    view = { answer: view.answer, ...next };
    changed();
  };

  const wake = () => {
    if (view.state === "idle" && copies.size && token()) {
      load();
    }
  };

  const refresh = () => {
    cache = "no-cache";
    running?.abort();
    view = { state: "idle", answer: view.answer };
    wake();
    if (view.state === "idle") {
      changed();
    }
  };

  const load = async () => {
    const run = new AbortController();
    running = run;
    show({ state: "loading" });
    const query = version === null ? "" : `?${new URLSearchParams({ v: version })}`;
    const reply = await ask(`get-instance${query}`, {}, run.signal);
    // Canceled, perhaps for a newer run: this reply is discarded.
    if (run.signal.aborted) {
      return;
    }
    run.abort(); // the request that is still running after the deadline
    show(result(reply));
    if (reply.wait) {
      const shown = view;
      setTimeout(() => view === shown && show({ ...shown, wait: 0 }), reply.wait * 1000);
    }
  };

  const ask = (path: string, { method, body }: Ask, signal: AbortSignal) =>
    new Promise<Reply>((resolve) => {
      const fail = (code: string) => () => resolve({ code });
      const attempt = async (): Promise<Reply> => {
        if (!api) {
          return { code: "api_base_refused" };
        }
        let bearer: unknown;
        try {
          bearer = await token()?.();
        } catch {
          // Reported below: the host's reason does not help a visitor.
        }
        return text(bearer)
          ? read(
              await fetch(api + path, {
                method,
                body: JSON.stringify(body),
                headers: {
                  Authorization: bearer as string,
                  ...(body && { "Content-Type": "application/json" }),
                },
                credentials: "omit",
                redirect: "error",
                cache,
                signal,
              }),
            )
          : { code: "token_unavailable" };
      };
      setTimeout(fail("timeout"), deadline);
      attempt()
        // The token may have expired on its way here. The host's next one is tried once.
        .then((first) => (first.code === "token_expired" ? attempt() : first))
        .then(resolve, fail("network"));
    });

  return {
    view: () => view,
    ask,
    refresh,
    add(copy, itsVersion) {
      copies.add(copy);
      if (view.state === "idle") {
        version ??= itsVersion;
        wake();
      }
    },
    remove(copy) {
      if (copies.delete(copy) && !copies.size && view.state !== "ready") {
        running?.abort();
        show({ state: "idle" });
      }
    },
    change(newVersion) {
      // Several copies report the same change.
      if (view.state !== "loading" || newVersion !== version) {
        version = newVersion;
        refresh();
      }
    },
    retry() {
      if (view.state === "failed" && !view.wait) {
        refresh();
      }
    },
  };
}

async function read(response: Response): Promise<Reply> {
  const raw = await response.text();
  let code: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: every field is checked before use
  let body: any;
  try {
    body = raw ? JSON.parse(raw) : undefined;
  } catch {
    code = "bad_response"; // a proxy's page, or a truncated answer
  }
  const wait = Number(response.headers.get("Retry-After"));
  return {
    code: response.ok ? code : text(body?.code, `http_${response.status}`),
    requestId: text(body?.requestId) || response.headers.get("X-Request-Id") || undefined,
    wait: wait > 0 ? Math.min(Math.ceil(wait), longestWait) : 0,
    body,
  };
}

function result({ code, requestId, wait, body }: Reply): Result {
  const none = body?.status === "No instance ID.";
  return code || (!none && body?.status !== "Success")
    ? { state: "failed", code: code || "bad_response", requestId, wait }
    : { state: "ready", code: none ? "no_instance" : code, requestId, answer: body as Answer };
}
