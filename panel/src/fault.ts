// The failures of the panel's requests to its server, and what they mean to a site owner.

/** A fault in one field of what was sent. */
export interface FieldFault {
  name: string;
  reason: string;
}

export class Fault extends Error {
  override name = "Fault";
  constructor(
    /** The server's code, or one of the panel's own: offline, no_token, bad_answer. */
    readonly code: string,
    readonly details: {
      /** The server's sentence for people. It is in English. */
      sentence?: string;
      requestId?: string;
      fields?: FieldFault[];
      /** When it makes sense to try again, in milliseconds since 1970. */
      retryAt?: number;
    } = {},
  ) {
    super(code);
  }
}

export type Kind =
  | "expired"
  | "foreign"
  | "owner"
  | "instance"
  | "wix"
  | "setup"
  | "limited"
  | "offline"
  | "store"
  | "server"
  | "app";

/** Nametag's own codes, by what they mean to a site owner: one kind has one notice and one action. */
const KINDS = new Map<string, Kind>([
  ["token_expired", "expired"],
  ["token_inactive", "expired"],
  ["token_missing", "expired"],
  ["token_malformed", "expired"],
  ["no_token", "expired"],
  ["token_foreign", "foreign"],
  ["owner_required", "owner"],
  ["instance_required", "instance"],
  ["instance_unknown", "instance"],
  ["wix_unavailable", "wix"],
  ["wix_timeout", "wix"],
  ["wix_bad_response", "wix"],
  ["app_credentials_refused", "setup"],
  ["app_permission_missing", "setup"],
  ["rate_limited", "limited"],
  ["offline", "offline"],
  ["store_unavailable", "store"],
  ["app_required", "server"],
  ["not_found", "server"],
  ["method_not_allowed", "server"],
  ["version_conflict", "server"],
  ["version_required", "server"],
  ["body_malformed", "server"],
  ["request_timeout", "offline"],
  ["body_too_large", "server"],
  ["unsupported_media_type", "server"],
  ["invalid_settings", "server"],
  ["invalid_body", "server"],
  ["internal", "server"],
  ["bad_answer", "server"],
]);

/** Any other code is one that the app has declared, and its sentence is shown. */
export function kindOf({ code, details }: Fault): Kind {
  return KINDS.get(code) ?? (details.sentence ? "app" : "server");
}

/** Anything but a Fault is a bug in the panel; it shows as an internal error. */
export function asFault(thrown: unknown): Fault {
  return thrown instanceof Fault ? thrown : new Fault("internal");
}
