// Sends changes to the editor: one at a time, the newest value of each attribute only, typing once it pauses.

export interface Writer {
  /** Sends at once, or as soon as the write before it is through. */
  now(attribute: string, value: string): void;
  /** Sends when nothing more has come for the writer's wait. */
  later(attribute: string, value: string): void;
  /** Sends what is waiting. */
  flush(): void;
  /** Forgets what is waiting. */
  drop(): void;
  /** Whether anything is still on its way. */
  busy(): boolean;
}

/** done is told of each write: null, or why it failed. wait is in milliseconds. */
export function createWriter(
  send: (attribute: string, value: string) => Promise<unknown>,
  done: (fault: unknown) => void,
  wait = 200,
): Writer {
  const waiting = new Map<string, string>();
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
    for (const [attribute, value] of waiting) {
      queue.set(attribute, value);
    }
    waiting.clear();
    void pump();
  }

  return {
    now(attribute, value) {
      waiting.delete(attribute);
      queue.set(attribute, value);
      void pump();
    },
    later(attribute, value) {
      waiting.set(attribute, value);
      clearTimeout(timer);
      timer = setTimeout(flush, wait);
    },
    flush,
    drop() {
      clearTimeout(timer);
      waiting.clear();
      queue.clear();
    },
    busy: () => sending || waiting.size > 0 || queue.size > 0,
  };
}
