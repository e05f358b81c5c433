// What all copies of the widget on one page share: the token function and a loader
// for each server (usually one).

import { apiAddress } from "./address";
import { createLoader, type Loader, type TokenFunction } from "./loader";

export interface Page {
  /** The loader of the server that the attribute api-base or the script's URL names. */
  loader(apiBase: string | null): Loader;
  /** Stores the host's token function. The host may call this for every copy; the first call counts. */
  inject(token: unknown): void;
  /** Called after every change of any loader's view. */
  changed: () => void;
}

declare const apiOrigins: string[]; // of app.json: see names.ts

/** @param origins where an API may be, besides the origin of the script */
export function createPage(scriptUrl: string, origins = apiOrigins): Page {
  const loaders = new Map<string | undefined, Loader>();
  let token: TokenFunction | undefined;
  const page: Page = {
    changed() {},
    loader(apiBase) {
      const api = apiAddress(apiBase, scriptUrl, origins);
      let loader = loaders.get(api);
      if (!loader) {
        if (!api) {
          console.error("api-base refused: see apiOrigins in app.json");
        }
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
        page.changed();
      }
    },
  };
  return page;
}
