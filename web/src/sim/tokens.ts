// Makes tokens, and shows what is in one.

import type { Control } from "../control";
import { byId, h } from "../dom";
import { block, facts, onSubmit, tag, textOf } from "./parts";

interface Decoded {
  kind: string;
  active: boolean;
  /** Why it is not active. */
  reason?: string;
  subjectType?: string;
  expires?: string;
  header?: Record<string, unknown>;
  claims: Record<string, unknown>;
}

interface TokenForm {
  subject: string;
  instanceId: string;
  /** good, expired, revoked, foreign (of another app) or none (of no site). */
  kind: string;
  /** How long it is valid, or "" for as long as usual. */
  ttl: string;
}

const anotherApp = "11111111-2222-4333-8444-555555555555";

/** The control API's request for a token. */
export function tokenRequest({ subject, instanceId, kind, ttl }: TokenForm) {
  return {
    subject,
    ...(instanceId && kind !== "none" && { instanceId }),
    ...(ttl && { ttl }),
    ...{
      good: {},
      expired: { ttl: "-1m" },
      revoked: { active: false },
      foreign: { appId: anotherApp },
      none: { noInstance: true },
    }[kind],
  };
}

export function tokens(wix: Control): void {
  const mint = byId<HTMLFormElement>("mint");
  onSubmit(mint, async () => {
    const { token } = await wix.ask<{ token: string }>(
      "POST",
      "tokens",
      tokenRequest({
        subject: textOf(mint, "subject"),
        instanceId: textOf(mint, "instanceId"),
        kind: textOf(mint, "kind"),
        ttl: textOf(mint, "ttl"),
      }),
    );
    byId("minted").replaceChildren(block("Token", token), ...(await decode(token)));
  });
  const form = byId<HTMLFormElement>("decode");
  onSubmit(form, async () => {
    const shown = byId("decoded");
    shown.replaceChildren();
    shown.replaceChildren(...(await decode(textOf(form, "token"))));
  });

  async function decode(token: string): Promise<HTMLElement[]> {
    const read = await wix.ask<Decoded>("POST", "tokens/decode", { token });
    return [
      facts(
        ["Is", read.kind],
        ["State", read.active ? tag("active", "good") : tag("not active", "bad")],
        ["Because", read.active ? "" : (read.reason ?? "")],
        ["Subject", read.subjectType ?? ""],
        ["Expires", read.expires ? h("time", { datetime: read.expires }, read.expires) : ""],
      ),
      ...(read.header ? [block("Header", JSON.stringify(read.header))] : []),
      block("Claims", JSON.stringify(read.claims)),
    ];
  }
}
