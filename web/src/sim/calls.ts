// The calls of the app to Wix's API, as they happen.

import type { Control } from "../control";
import { h } from "../dom";
import { FeedView } from "./feedview";
import { exactly, timeOfDay, took } from "./format";
import type { Names } from "./names";
import { block, facts, headers, siteFact, tag } from "./parts";

export interface Call {
  id: number;
  method: string;
  path: string;
  query: string;
  /** 0 when the connection was cut without an answer. */
  status: number;
  at: string;
  durationMs: number;
  instanceId?: string;
  notSimulated: boolean;
  /** The answer was that of a fault. */
  fault: boolean;
}

interface CallDetails extends Call {
  requestHeaders: Record<string, string>;
  responseHeaders: Record<string, string>;
  requestBody: string;
  responseBody: string;
  /** Whether headers and bodies are stored still. */
  stored: boolean;
}

export function callsView(
  wix: Control,
  names: Names,
  now: () => Date,
  say: (sentence: string) => void,
): FeedView<Call> {
  return new FeedView<Call>({
    id: "calls",
    wix,
    names,
    say,
    none: "No call yet. What the app asks Wix appears here.",
    words: (c) => [c.method, c.path, statusOf(c), ...marks(c), siteName(c, names)].join(" "),
    row: (c) => ({
      kind: isBad(c) ? "bad" : "",
      cells: [
        h("span", { class: "at" }, timeOfDay(c.at, now())),
        h("span", { class: "method" }, c.method),
        h("span", { class: "what" }, c.path, " ", ...marks(c).map((mark) => tag(mark, "warn"))),
        h("span", { class: "status" }, statusOf(c)),
        h("span", { class: "took" }, took(c.durationMs)),
        h("span", { class: "site" }, siteName(c, names)),
      ],
    }),
    detail: (read: CallDetails, into) =>
      into.replaceChildren(
        h("h2", { tabindex: -1 }, `${read.method} ${read.path}`),
        facts(
          ["Status", statusOf(read)],
          ["Arrived", exactly(read.at)],
          ["Took", took(read.durationMs)],
          ["Query", read.query],
          ["Site", siteFact(read.instanceId, names, "calls")],
          ["Fault", read.fault ? "This is the answer of a fault that was set." : null],
          ["API", read.notSimulated ? "This Wix does not simulate it." : null],
          [
            "Texts",
            read.stored ? null : "Headers and bodies are stored for the latest calls only.",
          ],
        ),
        ...(read.stored ? texts(read) : []),
      ),
  });
}

function texts(c: CallDetails): (HTMLElement | string)[] {
  return [
    h("h3", {}, "Request"),
    headers(c.requestHeaders),
    c.requestBody ? block("Request body", c.requestBody) : "",
    h("h3", {}, "Answer"),
    headers(c.responseHeaders),
    c.responseBody ? block("Answer body", c.responseBody) : "",
  ];
}

const isBad = (c: Call) => c.status === 0 || c.status >= 400;

const statusOf = (c: Call) => (c.status === 0 ? "cut" : String(c.status));

const siteName = (c: Call, names: Names) => (c.instanceId ? names.of(c.instanceId) : "");

function marks(c: Call): string[] {
  return [...(c.notSimulated ? ["not simulated"] : []), ...(c.fault ? ["fault"] : [])];
}
