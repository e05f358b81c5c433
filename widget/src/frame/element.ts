// The custom element: what every app keeps of it. What it shows is the face's, and its
// attributes are those of the settings.

import { id } from "../../../app.json";
import { css, face } from "../face/face";
import { readSite, readWidget, widgetAttributes } from "../settings.gen";
import frameCss from "./frame.css?inline";
import type { Loader } from "./loader";
import type { Page } from "./page";
import type { State, StateDetail, View } from "./types";

/** A copy sends its request when it is this near to the viewport, in px. */
const margin = 200;

/**
 * Makes the element's class for one page.
 *
 * | Attribute | Value | When absent or wrong |
 * |---|---|---|
 * | those of the settings | see docs/settings.md | the default |
 * | `settings-version` | any text; a change fetches the site's settings again | – |
 * | `api-base` | URL of the server's API as seen from the script, such as `/app/api/`, on an origin that the build allows | beside the script; failed when not allowed |
 *
 * | Property | |
 * |---|---|
 * | `accessTokenListener(fn)` | Wix calls it with a function that returns the access token; until then the widget shows its attributes only |
 *
 * | Event | Detail |
 * |---|---|
 * | `<id>-state` (bubbles, composed) | `{state: 'idle'\|'loading'\|'ready'\|'failed', code?, requestId?}` |
 */
export function widgetElement(page: Page): CustomElementConstructor {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(frameCss + css);
  const copies = new Set<WidgetElement>();
  let complained = false;

  class WidgetElement extends HTMLElement {
    static observedAttributes = [...widgetAttributes, "settings-version", "api-base"];

    accessTokenListener = page.inject;

    #root = Object.assign(this.attachShadow({ mode: "open" }), { adoptedStyleSheets: [sheet] });
    #show: ((view: View) => boolean | undefined) | undefined;
    #silent = false;
    #observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          this.#observer.disconnect();
          this.#near = true;
          this.render();
        }
      },
      { rootMargin: `${margin}px` },
    );
    #near = false;
    #loader!: Loader; // from the first render() on
    #shown: State | undefined;
    /** Aborted while the copy is not on the page. */
    #asks = new AbortController();

    connectedCallback() {
      // A copy that was only moved is still registered: see disconnectedCallback.
      if (!copies.has(this)) {
        copies.add(this);
        this.#asks = new AbortController();
        // An observer reports after the next frame, which a slow device takes long to paint.
        // Measured before the face is there, so that no text is laid out before the request.
        const { width, top, bottom } = this.getBoundingClientRect();
        this.#near = width > 0 && top < innerHeight + margin && bottom > -margin;
        this.render();
        if (!this.#near) {
          this.#observer.observe(this);
        }
      }
    }

    disconnectedCallback() {
      queueMicrotask(() => {
        if (!this.isConnected && copies.delete(this)) {
          this.#observer.disconnect();
          this.#asks.abort();
          this.#loader.remove(this);
          this.#shown = undefined;
          page.changed(); // another copy may have to announce now
        }
      });
    }

    attributeChangedCallback(name: string, before: string | null, now: string | null) {
      if (copies.has(this) && before !== now) {
        if (name === "settings-version") {
          this.#loader.change(now);
        } else {
          this.render();
        }
      }
    }

    render() {
      const loader = page.loader(this.getAttribute("api-base"));
      if (loader !== this.#loader) {
        this.#loader?.remove(this);
        this.#loader = loader;
      }
      if (this.#near) {
        loader.add(this, this.getAttribute("settings-version"));
      }
      const result = loader.view();
      const { state, code, requestId } = result;
      try {
        if (!this.#show) {
          this.#show = () => {}; // stays if the face throws
          this.#show = face(this.#root, {
            retry: () => this.#loader.retry(),
            refresh: () => this.#loader.refresh(),
            ask: (path, init = {}) => this.#loader.ask(path, init, this.#asks.signal),
          });
        }
        const silent =
          this.#show({
            ...result,
            widget: readWidget((name) => this.getAttribute(name)),
            site: readSite(result.answer?.settings as Record<string, unknown> | undefined),
            // One copy announces for all. Otherwise a screen reader would repeat it for each.
            announces: [...copies].find((copy) => !copy.#silent) === this,
          }) === false;
        if (this.#silent !== silent) {
          this.#silent = silent;
          page.changed();
        }
      } catch (error) {
        if (!complained) {
          complained = true;
          console.error(error);
        }
      }

      if (this.#shown !== state) {
        this.#shown = state;
        this.dispatchEvent(
          new CustomEvent<StateDetail>(`${id}-state`, {
            bubbles: true,
            composed: true,
            detail: { state, code, requestId },
          }),
        );
      }
    }
  }

  page.changed = () => {
    for (const copy of copies) {
      copy.render();
    }
  };
  return WidgetElement;
}
