// Undo and redo of immutable states. Quick changes with the same key are one step.

export class History<T> {
  #past: T[] = [];
  #future: T[] = [];
  #present: T;
  #lastKey: string | null = null;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** now and within are in milliseconds. Changes of one key within that time of each other are one step. */
  constructor(
    initial: T,
    private readonly now: () => number,
    private readonly within = 800,
    private readonly limit = 100,
  ) {
    this.#present = initial;
  }

  get present(): T {
    return this.#present;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** Makes next the present state. A change with a null key is always a separate step. */
  push(next: T, key: string | null = null): void {
    const at = this.now();
    const joins = key !== null && key === this.#lastKey && at - this.#lastAt <= this.within;
    if (!joins) {
      this.#past.push(this.#present);
      if (this.#past.length > this.limit) {
        this.#past.shift();
      }
    }
    this.#present = next;
    this.#future = [];
    this.#lastKey = key;
    this.#lastAt = at;
  }

  undo(): boolean {
    return this.#move(this.#past, this.#future);
  }

  redo(): boolean {
    return this.#move(this.#future, this.#past);
  }

  #move(from: T[], to: T[]): boolean {
    const state = from.pop();
    if (state === undefined) {
      return false;
    }
    to.push(this.#present);
    this.#present = state;
    this.#lastKey = null;
    return true;
  }
}

/** Ctrl+Z (⌘Z) undoes, with Shift it redoes; Ctrl+Y redoes. */
export function undoKeys(event: KeyboardEvent, steps: { undo(): void; redo(): void }): void {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) {
    return;
  }
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") {
    return;
  }
  event.preventDefault();
  if (key === "y" || event.shiftKey) {
    steps.redo();
  } else {
    steps.undo();
  }
}
