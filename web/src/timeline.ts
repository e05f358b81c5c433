// The timeline of a page load: merges what the page, the panel and the offline Wix
// report into one list of steps in the order of time.

import { name } from "../../app.json";

export type Party = "page" | "server" | "store" | "wix";

export interface Step {
  /** Milliseconds since the page was opened. */
  at: number;
  from: Party;
  to: Party;
  text: string;
  kind: "normal" | "good" | "bad" | "owner";
  details: [string, string][];
}

export interface Metric {
  name: string;
  duration: number;
  description: string;
}

/** Times are in milliseconds by the page's clock, except a call's `wall`: Unix time by the server's clock. */
export type Fact =
  | { kind: "opened"; at: number; copies: number; newVisitor: boolean }
  | { kind: "token"; at: number; token: string; expiresAt?: string; newVisitor: boolean }
  | {
      kind: "request";
      at: number;
      end: number;
      url: string;
      status: number;
      bytes: number;
      metrics: Metric[];
      /** The answer came from the browser's cache. */
      cached: boolean;
    }
  | {
      kind: "state";
      at: number;
      state: "idle" | "loading" | "ready" | "failed";
      code?: string;
      requestId?: string;
    }
  | { kind: "call"; wall: number; duration: number; method: string; path: string; status: number }
  | { kind: "prop"; at: number; name: string; value: string | null }
  | { kind: "owner-token"; at: number; token: string; expiresAt?: string }
  | {
      kind: "panel-request";
      at: number;
      end: number;
      url: string;
      status: number;
      metrics: Metric[];
    };

interface Figures {
  /** Milliseconds from the page's opening to the first widget that is ready, or null. */
  identifiedIn: number | null;
  /** The requests to the server; null while there was none, not even to the browser's cache. */
  requests: number | null;
  /** The calls to Wix to identify the visitor. */
  asked: number;
}

const callTexts: Record<string, string> = {
  "POST /oauth2/token-info": `${name} asks Wix whom the token belongs to.`,
  "POST /oauth2/token": `${name} gets an access token of the app for this site.`,
  "GET /apps/v1/instance": `${name} reads the app instance: plan, language, currency.`,
};

/** Converts facts to steps, the earliest first. timeOrigin is the start of the page's clock in Unix time. */
export function compose(facts: readonly Fact[], timeOrigin: number): Step[] {
  const opened = facts.find((f) => f.kind === "opened");
  if (!opened) {
    return [];
  }
  const calls = placeCalls(facts, timeOrigin, opened.at);
  const steps = [...facts.flatMap((f) => stepsOf(f, calls.length > 0)), ...calls];
  return merged(steps.map((s, i) => ({ ...s, at: Math.max(0, s.at - opened.at), i })))
    .sort((a, b) => a.at - b.at || a.i - b.i)
    .map(({ i: _, ...step }) => step);
}

/** The three figures above the list. */
export function figures(facts: readonly Fact[]): Figures {
  const opened = facts.find((f) => f.kind === "opened");
  const ready = facts.find((f) => f.kind === "state" && f.state === "ready");
  const all = facts.filter((f) => f.kind === "request");
  const requests = all.filter((r) => !r.cached);
  return {
    identifiedIn: opened && ready && "at" in ready ? ready.at - opened.at : null,
    requests: all.length ? requests.length : null,
    asked: requests.filter((r) => metric(r.metrics, "identify")?.description === "asked Wix")
      .length,
  };
}

/** The last four characters of a token, which do not reveal it. */
export function masked(token: string): string {
  return token.length > 8 ? `…${token.slice(-4)}` : "…";
}

function stepsOf(fact: Fact, hasCalls: boolean): Step[] {
  const panel = { kind: "owner" as const };
  switch (fact.kind) {
    case "opened":
      return [
        step(
          fact.at,
          "page",
          "page",
          `${fact.newVisitor ? "A new visitor" : "The same visitor"} opens the page, with ${count(fact.copies, "copy", "copies")} of the widget on it.`,
        ),
      ];
    case "token":
      return [
        step(
          fact.at,
          "wix",
          "page",
          fact.newVisitor
            ? "Wix gives the widget an access token for this visitor."
            : "Wix gives the widget the same access token as before.",
          [
            ["Token", masked(fact.token)],
            ...(fact.expiresAt ? ([["Expires", fact.expiresAt]] as [string, string][]) : []),
          ],
        ),
      ];
    case "request":
      return requestSteps(fact, hasCalls);
    case "state":
      if (fact.state === "idle" || fact.state === "loading") {
        return [];
      }
      return [
        fact.state === "ready"
          ? {
              ...step(fact.at, "page", "page", "The widget shows what belongs to this site."),
              kind: "good",
            }
          : {
              ...step(
                fact.at,
                "page",
                "page",
                `The widget shows that it could not be identified${fact.code ? ` (${fact.code})` : ""}.`,
              ),
              kind: "bad",
              details: fact.requestId ? [["Request", fact.requestId]] : [],
            },
      ];
    case "prop":
      if (fact.name === "settings-version") {
        return [
          {
            ...step(
              fact.at,
              "page",
              "page",
              "The site’s settings are saved: the panel changes settings-version, and the widget sends a new request.",
            ),
            ...panel,
          },
        ];
      }
      return [
        {
          ...step(fact.at, "page", "page", `The panel sets ${fact.name} on the stage.`),
          ...panel,
          details: [["Value", fact.value === null ? "removed" : clip(fact.value)]],
        },
      ];
    case "owner-token":
      return [
        {
          ...step(
            fact.at,
            "wix",
            "page",
            "The editor gives the panel an access token of the site’s owner.",
          ),
          ...panel,
          details: [["Token", masked(fact.token)]],
        },
      ];
    case "panel-request":
      return [
        {
          ...step(
            fact.at,
            "page",
            "server",
            `The panel calls ${tail(fact.url)} as the site’s owner.`,
          ),
          ...panel,
          details: [
            ...answered(fact.status),
            ["Took", milliseconds(fact.end - fact.at)],
            ...timings(fact.metrics),
          ],
        },
      ];
    case "call":
      return [];
  }
}

// requestSteps are those of one request of the widget, in the browser and in the server.
function requestSteps(r: Extract<Fact, { kind: "request" }>, hasCalls: boolean): Step[] {
  const took = r.end - r.at;
  if (r.cached) {
    return [
      step(
        r.at,
        "page",
        "page",
        "The browser has a cached answer for this token, less than 30 seconds old: no request is sent.",
        [
          ["Request", `GET ${tail(r.url)}`],
          ["Cache-Control", "private, max-age=30"],
          ["Took", milliseconds(took)],
        ],
      ),
    ];
  }
  const steps = [
    step(r.at, "page", "server", "The widget asks the server which site this is.", [
      ["Request", `GET ${tail(r.url)}`],
      ["Header", "Authorization: the token, as it is"],
    ]),
  ];
  const identify = metric(r.metrics, "identify");
  if (identify?.description === "known") {
    steps.push(
      step(
        r.at + took / 3,
        "server",
        "server",
        `${name} has verified this token before, so Wix is not asked.`,
        timings([identify]),
      ),
    );
  } else if (identify?.description === "asked Wix" && !hasCalls) {
    steps.push(
      step(
        r.at + took / 3,
        "server",
        "wix",
        callTexts["POST /oauth2/token-info"] ?? "",
        timings([identify]),
      ),
    );
  }
  const store = metric(r.metrics, "store");
  if (store) {
    steps.push(
      step(
        Math.max(r.at + took / 3, r.end - store.duration),
        "server",
        "store",
        `${name} reads this installation’s settings from its own store.`,
        timings([store]),
      ),
    );
  }
  const ok = r.status >= 200 && r.status < 300;
  steps.push({
    ...step(
      r.end,
      "server",
      "page",
      ok
        ? "The answer: the settings, and what a visitor may see."
        : "The answer: a refusal, with its reason.",
      [
        ...answered(r.status),
        ...(r.bytes > 0 ? ([["Size", `${r.bytes} bytes`]] as [string, string][]) : []),
        ["Took", milliseconds(took)],
      ],
    ),
    kind: ok ? "normal" : "bad",
  });
  return steps;
}

// placeCalls converts the times of the offline Wix's log to the page's clock. The server
// may be on another machine. If the first call is not within the time of the requests,
// all calls are moved so that it is in the first request.
function placeCalls(facts: readonly Fact[], timeOrigin: number, opened: number): Step[] {
  const calls = facts.filter((f) => f.kind === "call").sort((a, b) => a.wall - b.wall);
  const first = calls[0];
  if (!first) {
    return [];
  }
  const requests = facts
    .filter((f) => f.kind === "request" || f.kind === "panel-request")
    .filter((r) => r.kind === "panel-request" || !r.cached);
  const earliest = requests.reduce<number | null>(
    (min, r) => (min === null || r.at < min ? r.at : min),
    null,
  );
  const anchor = earliest ?? opened;
  const latest = requests.reduce((max, r) => Math.max(max, r.end), anchor);
  const raw = first.wall - timeOrigin;
  const shift = raw < anchor - 5 || raw > latest + 60_000 ? anchor + 1 - raw : 0;
  return calls.map((c) => {
    // A call's time is rounded to the millisecond, so it can be before its request.
    const at = Math.max(anchor + 0.1, c.wall - timeOrigin + shift);
    const key = `${c.method} ${c.path}`;
    return {
      ...step(at, "server", "wix", callTexts[key] ?? `${name} calls Wix: ${key}.`, [
        ["Request", key],
        ...answered(c.status),
        ["Took", milliseconds(c.duration)],
      ]),
      kind: c.status >= 200 && c.status < 300 ? "normal" : "bad",
    };
  });
}

// merged joins the same step of several copies of the widget, and quick changes of one setting.
function merged<T extends Step>(steps: T[]): T[] {
  const out: T[] = [];
  for (const s of [...steps].sort((a, b) => a.at - b.at)) {
    const same = out.findLast((o) => o.text === s.text && o.from === s.from && o.to === s.to);
    const near = same && s.at - same.at < (s.kind === "owner" ? 1500 : 60);
    if (same && near && s.from === s.to) {
      if (s.kind === "owner") {
        Object.assign(same, { at: s.at, details: s.details });
      }
      continue;
    }
    out.push(s);
  }
  return out;
}

function step(
  at: number,
  from: Party,
  to: Party,
  text: string,
  details: [string, string][] = [],
): Step {
  return { at, from, to, text, kind: "normal", details };
}

function metric(metrics: readonly Metric[], name: string): Metric | undefined {
  return metrics.find((m) => m.name === name);
}

function timings(metrics: readonly Metric[]): [string, string][] {
  return metrics.map((m) => [
    `Server-Timing ${m.name}`,
    [m.description, m.duration && milliseconds(m.duration)].filter(Boolean).join(", ") || "at once",
  ]);
}

function answered(status: number): [string, string][] {
  return status > 0 ? [["Status", String(status)]] : [];
}

function tail(url: string): string {
  return new URL(url, "http://x").pathname.replace(/^.*\/(?=api\/)/, "");
}

export function milliseconds(ms: number): string {
  if (ms < 0.95) {
    return `${Math.max(0, ms).toFixed(2)} ms`;
  }
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
