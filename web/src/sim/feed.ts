// The items of a live list: those that were read, those that arrive, and the newest state of
// each.

export interface Item {
  /** Grows with each new item. */
  id: number;
  /** The site that it is about. */
  instanceId?: string;
}

export class Feed<T extends Item> {
  #items: T[] = [];
  #loading: T[] | null = null;

  /** most bounds the list; newer is the later of two states of one item. */
  constructor(
    private readonly most: number,
    private readonly newer: (a: T, b: T) => T = (_, b) => b,
  ) {}

  /** The newest first. */
  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#loading?.push(item);
    const at = this.#items.findIndex((other) => other.id <= item.id);
    const found = this.#items[at];
    if (found?.id === item.id) {
      this.#items[at] = this.newer(found, item);
      return;
    }
    this.#items.splice(at < 0 ? this.#items.length : at, 0, item);
    this.#items.splice(this.most);
  }

  clear(): void {
    this.#items = [];
    this.#loading = null;
  }

  /**
   * Replaces the list with what is read. What arrives while it is read is added to it. Of two
   * reads at the same time the later one counts. Returns whether this one did.
   */
  async load(read: () => Promise<T[]>): Promise<boolean> {
    const arrived: T[] = [];
    this.#loading = arrived;
    try {
      const items = await read();
      if (this.#loading !== arrived) {
        return false;
      }
      this.#items = [...items].sort((a, b) => b.id - a.id).slice(0, this.most);
    } catch (error) {
      if (this.#loading === arrived) {
        this.#loading = null;
      }
      throw error;
    }
    this.#loading = null;
    for (const item of arrived) {
      this.add(item);
    }
    return true;
  }
}
