// What all copies of the widget on one page share: the token function and a loader
// for each server (usually one).

import { apiAddress } from "./address";
import { createLoader, type Loader, type TokenFunction } from "./loader";

export interface Page {
  /** The loader of the server that the attribute api-base or the script's URL names. */
  loader(apiBase: string | null): Loader | undefined;
  /** Stores the host's token function. The host may call this for every copy; the first call counts. */
  inject(token: unknown): void;
  /** Called after every change of any loader's view. */
  changed: () => void;
}

export function createPage(scriptUrl: string): Page {
  const loaders = new Map<string, Loader>();
  let token: TokenFunction | undefined;
  const page: Page = {
    changed() {},
    loader(apiBase) {
      const api = apiAddress(apiBase, scriptUrl);
      if (!api) {
        return;
      }
      let loader = loaders.get(api);
      if (!loader) {
        loader = createLoader(
          api,
          () => token,
          () => page.changed(),
        );
        loaders.set(api, loader);
      }
      return loader;
    },
    inject(given) {
      if (!token && typeof given === "function") {
        token = given as TokenFunction;
        for (const loader of loaders.values()) {
          loader.wake();
        }
      }
    },
  };
  return page;
}
