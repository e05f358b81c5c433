// The model of an editor's stage: the copies of the widget on a page, their
// attributes, the selection, and the history of changes.

import { History } from "./history";

export interface StageElement {
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What changed. `history` is an undo or a redo. */
export type StageChange = "attribute" | "elements" | "selection" | "history";

export const maxCopies = 20;

export class Stage {
  #history: History<readonly StageElement[]>;
  #selected: string | null;
  #nextId = 1;
  #listeners = new Set<(change: StageChange) => void>();

  constructor(
    initial: readonly Readonly<Record<string, string>>[],
    now: () => number = () => performance.now(),
  ) {
    const elements = initial.map((attributes) => this.#element(attributes));
    this.#history = new History<readonly StageElement[]>(elements, now);
    this.#selected = elements[0]?.id ?? null;
  }

  get elements(): readonly StageElement[] {
    return this.#history.present;
  }

  get selected(): string | null {
    return this.#selected;
  }

  get canUndo(): boolean {
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    return this.#history.canRedo;
  }

  /** Calls the listener after every change. Returns the function that ends the subscription. */
  subscribe(listener: (change: StageChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  find(id: string): StageElement | undefined {
    return this.elements.find((e) => e.id === id);
  }

  /** Sets one attribute, or removes it when the value is null. */
  setAttribute(id: string, name: string, value: string | null): void {
    const element = this.find(id);
    if (!element || (element.attributes[name] ?? null) === value) {
      return;
    }
    const attributes = { ...element.attributes };
    if (value === null) {
      delete attributes[name];
    } else {
      attributes[name] = value;
    }
    const next = this.elements.map((e) => (e.id === id ? { id, attributes } : e));
    this.#history.push(next, `${id} ${name}`);
    this.#notify("attribute");
  }

  /** Adds a copy after the given element, or at the end, and selects it. Returns null when the stage is full. */
  add(attributes: Readonly<Record<string, string>> = {}, after?: string): string | null {
    if (this.elements.length >= maxCopies) {
      return null;
    }
    const element = this.#element(attributes);
    const at = after === undefined ? -1 : this.elements.findIndex((e) => e.id === after);
    const next = [...this.elements];
    next.splice(at < 0 ? next.length : at + 1, 0, element);
    this.#history.push(next);
    this.#selected = element.id;
    this.#notify("elements");
    return element.id;
  }

  /** Adds a copy of an element after it. Returns null when the stage is full. */
  duplicate(id: string): string | null {
    const element = this.find(id);
    return element ? this.add(element.attributes, id) : null;
  }

  remove(id: string): void {
    const at = this.elements.findIndex((e) => e.id === id);
    if (at < 0) {
      return;
    }
    const next = this.elements.filter((e) => e.id !== id);
    this.#history.push(next);
    if (this.#selected === id) {
      this.#selected = (next[at] ?? next[at - 1])?.id ?? null;
    }
    this.#notify("elements");
  }

  select(id: string | null): void {
    if (id === this.#selected || (id !== null && !this.find(id))) {
      return;
    }
    this.#selected = id;
    this.#notify("selection");
  }

  undo(): void {
    if (this.#history.undo()) {
      this.#afterMove();
    }
  }

  redo(): void {
    if (this.#history.redo()) {
      this.#afterMove();
    }
  }

  #afterMove(): void {
    if (this.#selected === null || !this.find(this.#selected)) {
      this.#selected = this.elements[0]?.id ?? null;
    }
    this.#notify("history");
  }

  #element(attributes: Readonly<Record<string, string>>): StageElement {
    return { id: `comp-${this.#nextId++}`, attributes: { ...attributes } };
  }

  #notify(change: StageChange): void {
    for (const listener of this.#listeners) {
      listener(change);
    }
  }
}
