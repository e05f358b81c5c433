// What can go wrong between the panel and its server.

/** A fault in one field of what was sent. */
export interface FieldFault {
  name: string;
  reason: string;
}

export class Fault extends Error {
  override name = "Fault";
  constructor(
    /** The server's code; or offline, no_token, bad_answer, which are ours. */
    readonly code: string,
    readonly details: {
      requestId?: string;
      fields?: FieldFault[];
      /** When it makes sense to try again, in milliseconds since 1970. */
      retryAt?: number;
    } = {},
  ) {
    super(code);
  }
}

export type Kind = "expired" | "foreign" | "owner" | "wix" | "limited" | "offline" | "server";

/** What a fault means to a site owner: one kind, one sentence, one way out. */
export function kindOf(fault: Fault): Kind {
  switch (fault.code) {
    case "token_expired":
    case "token_inactive":
    case "token_missing":
    case "token_malformed":
    case "no_token":
      return "expired";
    case "token_foreign":
      return "foreign";
    case "owner_required":
      return "owner";
    case "wix_unavailable":
    case "wix_timeout":
    case "wix_bad_response":
      return "wix";
    case "rate_limited":
      return "limited";
    case "offline":
      return "offline";
    default:
      return "server";
  }
}
