// A value that can be watched: what React's useSyncExternalStore asks for, and no more.

export interface Store<T> {
  get(): T;
  set(next: T): void;
  /** Calls watch after every change; the returned function stops that. */
  subscribe(watch: () => void): () => void;
}

export function createStore<T>(value: T): Store<T> {
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
