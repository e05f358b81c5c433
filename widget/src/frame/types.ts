// What frame and face know of each other.

import type { SiteSettings, WidgetSettings } from "../settings.gen";

/**
 * A face is what the widget shows. It is called once for each copy of the widget on the page:
 * it fills the copy's shadow root, which is empty, and returns a function that shows a view.
 * That function is called at once, and again after every change of the view.
 *
 * ```ts
 * // face/face.ts: a badge with the average of the site's reviews
 * import { number } from "../frame/kinds";
 * import type { Face } from "../frame/types";
 * import css from "./face.css?inline";
 *
 * export { css };
 *
 * export const face: Face = (root, { ask, refresh }) => {
 *   const average = document.createElement("p");
 *   const vote = document.createElement("button");
 *   vote.textContent = "★★★★★";
 *   vote.onclick = async () => {
 *     const { code } = await ask("reviews", { method: "POST", body: { stars: 5 } });
 *     vote.disabled = !code;
 *     refresh();
 *   };
 *   root.append(average, vote);
 *   return ({ widget, site, answer }) => {
 *     average.style.color = widget.textColor;
 *     average.textContent = `${site.greeting}: ${number(answer?.average, 0)}`;
 *   };
 * };
 * ```
 *
 * The frame does the rest: it reads the attributes, asks the server once for all copies, near
 * the viewport, and adopts `css`. What comes from an attribute or the server is text: set it
 * as `textContent`, never as markup. A face that throws shows nothing new; the page and the
 * other copies go on.
 *
 * A face that has nothing to announce at the moment, such as one whose status line is hidden,
 * returns false from the function: another copy then announces.
 */
export type Face = (root: ShadowRoot, frame: Frame) => (view: View) => boolean | undefined;

/** What a face shows. */
export interface View extends Result {
  /** This copy's settings, from its attributes. */
  widget: WidgetSettings;
  /** The site's settings: the defaults until the first answer. */
  site: SiteSettings;
  /**
   * Whether this copy announces its status (`aria-live="polite"`): one copy of the page does, for
   * all. Write the text of a live region only where it differs, because each write is spoken.
   */
  announces: boolean;
}

/**
 * idle: there is no token yet, or the widget is far from the viewport. A failure offers a
 * retry. An answer stays while the next one is loading, and when that fails.
 */
export type State = "idle" | "loading" | "ready" | "failed";

/** Where the page's request of `get-instance` stands. */
export interface Result {
  state: State;
  /**
   * When failed: the server's error code, or token_unavailable, api_base_refused,
   * bad_response, network, timeout. When ready: no_instance, for a token that belongs to no site, or none.
   */
  code?: string;
  requestId?: string;
  /** Seconds to wait before a retry, as the server asks; 0 once they have passed. */
  wait?: number;
  /** The whole body of the last answer. Only its status is checked. */
  answer?: Answer;
}

export interface Answer {
  status: "Success" | "No instance ID.";
  /** What a visitor may know of the site: siteDisplayName, plan, … */
  instance?: Record<string, unknown>;
  /** The app's own fields. Read them with the functions of frame/kinds, which take anything. */
  [field: string]: unknown;
}

/** What a face can have done. */
export interface Frame {
  /** Asks for the answer again after a failure; does nothing in other states, or during `wait`. */
  retry(): void;
  /** Asks for the answer again in any state, for all copies: what the face sent has changed it. */
  refresh(): void;
  /**
   * Sends a request below `api/`, such as `reviews`, as the visitor. It never rejects, takes 10
   * seconds at the most, and is canceled when the copy is removed. A body is sent as JSON.
   */
  ask(path: string, init?: Ask): Promise<Reply>;
}

export interface Ask {
  /** GET when absent. */
  method?: string;
  body?: object;
}

export interface Reply {
  /** Absent on success; else as in a view. */
  code?: string;
  requestId?: string;
  /** Seconds to wait before the next attempt, as the server asks. */
  wait?: number;
  /** The JSON of the reply, also of an error: `error` is a sentence that can be shown. */
  body?: Record<string, unknown>;
}

/** The detail of the element's event `<id>-state`. */
export type StateDetail = Pick<Result, "state" | "code" | "requestId">;
