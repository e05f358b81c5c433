// The deliveries of webhooks to the app, as they happen.

import { type Control, Refusal, reason } from "../control";
import { h } from "../dom";
import { FeedView } from "./feedview";
import { exactly, timeOfDay, took } from "./format";
import type { Names } from "./names";
import { block, facts, onSubmit, siteFact, tag } from "./parts";

interface Attempt {
  at: string;
  status?: number;
  /** Why there was no answer. */
  error?: string;
  durationMs: number;
  /** The start of the answer's body. */
  answer?: string;
}

export interface Delivery {
  id: number;
  eventType: string;
  instanceId: string;
  url: string;
  /** The event's time. */
  at: string;
  state: "pending" | "delivered" | "failed";
  attempts: Attempt[];
}

interface DeliveryDetails extends Delivery {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
}

type Fields = Record<string, unknown>;

/** The later of two states of one delivery. */
export function newer(a: Delivery, b: Delivery): Delivery {
  const rank = (d: Delivery) => d.attempts.length * 2 + (d.state === "pending" ? 0 : 1);
  return rank(a) > rank(b) ? a : b;
}

/** When a delivery that failed is tried again, or "" when it is not. */
export function nextTry(d: Delivery, retryMs: readonly number[]): string {
  const last = d.attempts.at(-1);
  const wait = retryMs[d.attempts.length - 1];
  return d.state !== "pending" || !last || wait === undefined
    ? ""
    : new Date(Date.parse(last.at) + last.durationMs + wait).toISOString();
}

/** The fields of an event, in the innermost layer of its webhook. */
export function fieldsOf(claims: Fields | undefined): Fields {
  let fields = claims;
  while (isFields(fields?.data)) {
    fields = fields.data;
  }
  return fields ?? {};
}

/** What a change of fields is to the control API: each one that is new or different, and null for each that is gone. */
export function changedFields(before: Fields, after: Fields): Fields {
  const changes: Fields = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name])) {
      changes[name] = after[name] ?? null;
    }
  }
  return changes;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function webhooksView(
  wix: Control,
  names: Names,
  retryMs: readonly number[],
  now: () => Date,
  say: (sentence: string) => void,
): FeedView<Delivery> {
  const day = (iso: string) => timeOfDay(iso, now());
  return new FeedView<Delivery>({
    id: "webhooks",
    wix,
    names,
    say,
    newer,
    none: "No webhook yet. Install the app, or change a plan, and Wix sends one.",
    words: (d) => [d.eventType, d.state, outcome(d), names.of(d.instanceId)].join(" "),
    row: (d) => ({
      kind: d.state === "failed" ? "bad" : "",
      cells: [
        h("span", { class: "at" }, day(d.at)),
        h("span", { class: "what" }, d.eventType),
        h("span", { class: "state" }, stateTag(d)),
        h("span", { class: "tries" }, tries(d)),
        h("span", { class: "next" }, next(d)),
        h("span", { class: "site" }, names.of(d.instanceId)),
      ],
    }),
    detail: (read: DeliveryDetails, into) => {
      const shown = into.querySelector<HTMLElement>(".delivery");
      const top = delivery(read);
      // The fields that are being changed stay.
      if (shown) {
        shown.replaceWith(top);
      } else {
        into.replaceChildren(top, replay(read), ...contents(read));
      }
    },
  });

  function next(d: Delivery): string {
    const at = nextTry(d, retryMs);
    return at && `next at ${day(at)}`;
  }

  function delivery(d: DeliveryDetails): HTMLElement {
    return h(
      "div",
      { class: "delivery" },
      h("h2", { tabindex: -1 }, d.eventType),
      facts(
        ["State", stateTag(d)],
        ["Event at", exactly(d.at)],
        ["Next try", exactly(nextTry(d, retryMs))],
        ["To", d.url],
        ["Site", siteFact(d.instanceId, names, "webhooks")],
      ),
      h("h3", {}, d.attempts.length === 0 ? "No attempt yet" : "Attempts"),
      h(
        "ol",
        { class: "attempts" },
        ...d.attempts.map((a) =>
          h(
            "li",
            {},
            h(
              "p",
              {},
              h("span", { class: "at" }, day(a.at)),
              " ",
              tag(a.status ? String(a.status) : "no answer", isGood(a) ? "good" : "bad"),
              ` ${took(a.durationMs)} ${a.error ?? ""}`,
            ),
            a.answer ? h("pre", {}, h("code", {}, a.answer)) : null,
          ),
        ),
      ),
    );
  }

  function replay(d: DeliveryDetails): HTMLElement {
    const before = fieldsOf(d.claims);
    const send = async (body: Fields) => {
      await wix.ask("POST", `webhooks/${d.id}/replay`, body);
      say(`${d.eventType} is sent again.`);
    };
    const again = async () => {
      try {
        await send({});
      } catch (error) {
        say(`Not sent: ${reason(error)}.`);
      }
    };
    const editor = h(
      "textarea",
      { name: "data", rows: 6, spellcheck: "false", autocomplete: "off" },
      JSON.stringify(before, null, 2),
    );
    const form = h(
      "form",
      { class: "fields", id: "replay" },
      h("label", { class: "field" }, "Fields of the event", editor),
      h("p", { class: "field-fault", role: "alert" }),
      h(
        "div",
        { class: "group" },
        h("button", { type: "submit", class: "button" }, "Replay changed"),
      ),
    );
    onSubmit(form, async () => {
      await send({ data: changedFields(before, parsed(editor)), new: true });
    });
    return h(
      "div",
      { class: "replay" },
      h("button", { type: "button", class: "button main", onclick: () => void again() }, "Replay"),
      h("details", {}, h("summary", {}, "Replay with changed fields"), form),
    );
  }
}

/** The fields in the editor. What is no JSON object is the field's fault. */
function parsed(editor: HTMLTextAreaElement): Fields {
  let value: unknown;
  try {
    value = JSON.parse(editor.value);
  } catch (error) {
    throw new Refusal(`data is no JSON: ${reason(error)}`, 0, "data");
  }
  if (!isFields(value)) {
    throw new Refusal("data must be one JSON object", 0, "data");
  }
  return value;
}

function contents(d: DeliveryDetails): HTMLElement[] {
  return d.claims
    ? [
        h("h3", {}, "The webhook, decoded"),
        block("JWT header", JSON.stringify(d.header ?? {})),
        block("JWT claims", JSON.stringify(d.claims)),
      ]
    : [h("p", {}, "Its JWT is no longer stored.")];
}

const isGood = (a: Attempt) => a.status !== undefined && a.status >= 200 && a.status < 300;

const stateTag = (d: Delivery) =>
  tag(d.state, { pending: "", delivered: "good", failed: "bad" }[d.state]);

function outcome(d: Delivery): string {
  const last = d.attempts.at(-1);
  return last ? String(last.status ?? last.error ?? "") : "";
}

function tries(d: Delivery): string {
  const { length } = d.attempts;
  return length === 0 ? "" : `${length === 1 ? "1 attempt" : `${length} attempts`}, ${outcome(d)}`;
}
