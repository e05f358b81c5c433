// Sends changes to the editor: one at a time, only the newest value of each attribute, and typing once it pauses.

interface Writer {
  /** Sends at once, or when the write before it is done. */
  now(attribute: string, value: string): void;
  /** Sends when there has been no further call for the writer's wait. */
  later(attribute: string, value: string): void;
  /** Sends the pending values at once. */
  flush(): void;
  /** Drops all pending and queued values. */
  drop(): void;
  /** Whether a value is pending, queued or being sent. */
  busy(): boolean;
}

/** done is called after each write, with null or the error. wait is in milliseconds. */
export function createWriter(
  send: (attribute: string, value: string) => Promise<unknown>,
  done: (fault: unknown) => void,
  wait = 200,
): Writer {
  const pending = new Map<string, string>();
  const queue = new Map<string, string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending = false;

  async function pump() {
    if (sending) {
      return;
    }
    sending = true;
    for (const [attribute, value] of queue) {
      queue.delete(attribute);
      try {
        await send(attribute, value);
        done(null);
      } catch (fault) {
        done(fault ?? "unknown");
      }
    }
    sending = false;
  }

  function flush() {
    clearTimeout(timer);
    for (const [attribute, value] of pending) {
      queue.set(attribute, value);
    }
    pending.clear();
    void pump();
  }

  return {
    now(attribute, value) {
      pending.delete(attribute);
      queue.set(attribute, value);
      void pump();
    },
    later(attribute, value) {
      pending.set(attribute, value);
      clearTimeout(timer);
      timer = setTimeout(flush, wait);
    },
    flush,
    drop() {
      clearTimeout(timer);
      pending.clear();
      queue.clear();
    },
    busy: () => sending || pending.size > 0 || queue.size > 0,
  };
}
