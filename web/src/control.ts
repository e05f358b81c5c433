// The offline Wix's control API, as its pages call it.

/** Why the control API refused a request. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** The field of the request that is wrong, or "". */
    readonly field: string,
  ) {
    super(message);
  }
}

export class Control {
  /** base is the API's address, with a slash at its end. */
  constructor(private readonly base: string) {}

  /** Returns the answer, or null where there is none. Fails with a Refusal. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.base + path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (answer.ok) {
      const text = answer.status === 204 ? "" : await answer.text();
      return (text === "" ? null : JSON.parse(text)) as T;
    }
    const said = (await answer.json().catch(() => ({}))) as { error?: string; field?: string };
    throw new Refusal(
      said.error ?? `the offline Wix answered with status ${answer.status}`,
      answer.status,
      said.field ?? "",
    );
  }
}

/** The sentence for people about an error. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
