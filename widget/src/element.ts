// The custom element: its shadow tree, and how it shows its attributes and the server's answer.

import { displayName, font, showsStatus } from "./attributes";
import type { Loader, State, View } from "./loader";
import css from "./nametag.css?inline";
import type { Page } from "./page";

/** The detail of the event nametag-state. */
export interface StateDetail {
  state: State;
  code?: string;
  requestId?: string;
}

/** A copy sends its request when it is this near to the viewport, in px. */
const margin = 200;

/** Makes the element's class for one page. */
export function nametagElement(page: Page): CustomElementConstructor {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const copies = new Set<Nametag>();

  /**
   * `<nametag-widget>`: a name tag that greets by name and shows which Wix site it is on.
   *
   * | Attribute | Value | When absent or wrong |
   * |---|---|---|
   * | `display-name` | the name to greet | "friend" |
   * | `text-color` | a CSS color, `var(--wst-…, #fallback)` included | the tag's own |
   * | `background-color` | a CSS color, as above | the tag's own |
   * | `font` | JSON `{"font": <CSS font>, "textDecoration": <CSS text-decoration>}` | the tag's own |
   * | `align` | `start`, `center`, `end`, `left`, `right` | `start` |
   * | `show-status` | `false` hides the status line | shown |
   * | `settings-version` | any text; a change fetches the site's settings again | – |
   * | `api-base` | http(s) address of the server's API, such as `https://example.com/api/` | found from the script's URL |
   *
   * | Property | |
   * |---|---|
   * | `accessTokenListener(fn)` | Wix calls it with a function that returns the access token; until then the tag shows its attributes only |
   *
   * | Event | Detail |
   * |---|---|
   * | `nametag-state` (bubbles, composed) | `{state: 'idle'\|'loading'\|'ready'\|'failed', code?, requestId?}` |
   *
   * Parts: `card`, `title` (holds `greeting` and `name`), `status` (holds `message` and `retry`).
   *
   * | Custom property | Default |
   * |---|---|
   * | `--nametag-color` | `#1b2440`; the attribute `text-color` wins |
   * | `--nametag-background` | `#fff`; the attribute `background-color` wins |
   * | `--nametag-font` | the system's sans serif family |
   * | `--nametag-radius` | `16px` |
   * | `--nametag-border` | a hairline of the text color |
   * | `--nametag-shadow` | a soft one |
   *
   * The height stays the same when the answer comes. A page that loads the script late can
   * reserve it: `nametag-widget:not(:defined) { display: block; min-height: 190px }`.
   */
  class Nametag extends HTMLElement {
    static observedAttributes = [
      "display-name",
      "text-color",
      "background-color",
      "font",
      "align",
      "show-status",
      "settings-version",
      "api-base",
    ];

    accessTokenListener = page.inject;

    #root = this.attachShadow({ mode: "open" });
    #card = make(new DocumentFragment(), "div", "card");
    #title = make(this.#card, "p", "title");
    #greeting = make(this.#title, "span", "greeting");
    #name = make(this.#title, "span", "name");
    #status = make(this.#card, "div", "status");
    #message = make(this.#status, "span", "message");
    #retry = make(this.#status, "button", "retry");
    #observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          this.#approach();
        }
      },
      { rootMargin: `${margin}px` },
    );
    #near = false;
    #loader: Loader | undefined;
    #shown: State | undefined;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [sheet];
      this.#name.before(" "); // a word break for screen readers and copied text
      this.#message.tabIndex = -1; // takes the focus of a retry button that is hidden
      this.#retry.textContent = "Retry";
      this.#retry.onclick = () => this.#loader?.retry();
    }

    connectedCallback() {
      // A copy that was only moved is still registered: see disconnectedCallback.
      if (!copies.has(this)) {
        copies.add(this);
        // An observer reports after the next frame, which a slow device takes long to paint.
        // Measured before the card is there, so that no text is laid out before the request.
        const { width, top, bottom } = this.getBoundingClientRect();
        this.#root.append(this.#card);
        this.render();
        if (width && top < innerHeight + margin && bottom > -margin) {
          this.#approach();
        } else {
          this.#observer.observe(this);
        }
      }
    }

    disconnectedCallback() {
      queueMicrotask(() => {
        if (!this.isConnected && copies.delete(this)) {
          this.#observer.disconnect();
          this.#near = false;
          this.#loader?.remove(this);
          this.#loader = this.#shown = undefined;
          page.changed(); // another copy may have to announce the status now
        }
      });
    }

    attributeChangedCallback(name: string, before: string | null, now: string | null) {
      if (copies.has(this) && before !== now) {
        if (name === "settings-version") {
          this.#loader?.refresh(now);
        } else {
          this.render();
        }
      }
    }

    /** The copy is near the viewport. */
    #approach() {
      this.#near = true;
      this.#observer.disconnect();
      this.#load();
    }

    #load() {
      this.#loader?.add(this, this.getAttribute("settings-version"));
    }

    render() {
      const attribute = (name: string) => this.getAttribute(name);
      const loader = page.loader(attribute("api-base"));
      if (loader !== this.#loader) {
        this.#loader?.remove(this);
        this.#loader = loader;
        if (this.#near) {
          this.#load();
        }
      }
      const view: View = loader?.view() ?? { state: "idle" };
      const { state, code, requestId } = view;

      const picked = font(attribute("font"));
      const align = attribute("align") ?? "";
      style(this.#card, "color", attribute("text-color"));
      style(this.#card, "background-color", attribute("background-color"));
      style(this.#card, "--align", /^(start|center|end|left|right)$/.test(align) ? align : "");
      style(this.#title, "font", picked.font);
      style(this.#name, "text-decoration", picked.textDecoration);
      this.#card.dataset.state = state;

      write(this.#greeting, view.answer?.greeting || "Hello");
      write(this.#name, displayName(attribute("display-name")));
      // One copy announces for all. Otherwise a screen reader would repeat the status for each.
      const speaker = [...copies].find((copy) => showsStatus(copy.getAttribute("show-status")));
      this.#message.setAttribute("aria-live", speaker === this ? "polite" : "off");
      this.#status.hidden = !showsStatus(attribute("show-status"));
      write(this.#message, message(view));
      this.#retry.disabled = !!view.wait;
      if (state !== "failed" && this.#root.activeElement === this.#retry) {
        this.#message.focus();
      }
      this.#retry.hidden = state !== "failed";

      if (this.#shown !== state) {
        this.#shown = state;
        this.dispatchEvent(
          new CustomEvent<StateDetail>("nametag-state", {
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
  return Nametag;
}

function message({ state, wait, answer }: View): string {
  if (state === "failed") {
    return wait ? `Busy for ${wait} s` : "Can’t connect";
  }
  if (answer) {
    return answer.site === undefined
      ? "Not linked to a site"
      : `Connected${answer.site && " to "}${answer.site}`;
  }
  return state === "loading" ? "Connecting…" : "Not connected yet";
}

function make<Tag extends "div" | "p" | "span" | "button">(
  parent: ParentNode,
  tag: Tag,
  part: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.setAttribute("part", part);
  parent.append(element);
  return element;
}

/** Sets a property. The browser ignores a value that it does not accept, which leaves the default. */
function style(element: HTMLElement, property: string, value: string | null) {
  element.style.removeProperty(property);
  element.style.setProperty(property, value);
}

/** Writes only what differs: a live region is announced at every write. */
function write(element: HTMLElement, text: string) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
