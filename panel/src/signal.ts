// An observable value with the interface that React's useSyncExternalStore needs.

export interface Signal<T> {
  get(): T;
  set(next: T): void;
  /** Calls watch after every change. Returns the function that ends the subscription. */
  subscribe(watch: () => void): () => void;
}

export function createSignal<T>(value: T): Signal<T> {
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const watch of watchers) {
        watch();
      }
    },
    subscribe(watch) {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
  };
}
