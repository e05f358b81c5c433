// What all copies of the widget on one page share: the token function and a loader
// for each server (in all but odd cases there is one server).

import { apiAddress } from "./address";
import { createLoader, type Loader, type TokenFunction } from "./loader";

export interface Page {
  /** The loader of the server that the attribute api-base or the script's URL names. */
  loader(apiBase: string | null): Loader | undefined;
  /** Takes the host's token function. The host may call it for every copy; the first counts. */
  inject(token: unknown): void;
  /** Is called after every change, whichever loader's. */
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
