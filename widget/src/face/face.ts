// The name tag: it greets by name, and shows which Wix site it is on.
//
// Parts: `card`, `title` (holds `greeting` and `name`), `status` (holds `message` and `retry`).
// The custom properties are in face.css. The height stays the same when the answer comes.

import { text } from "../frame/kinds";
import type { Face, View } from "../frame/types";
import css from "./face.css?inline";

export { css };

export const face: Face = (root, frame) => {
  const card = make(root, "div", "card");
  const title = make(card, "p", "title");
  const greeting = make(title, "span", "greeting");
  const name = make(title, "span", "name");
  const status = make(card, "div", "status");
  const message = make(status, "span", "message");
  const retry = make(status, "button", "retry");
  name.before(" "); // a word break for screen readers and copied text
  message.tabIndex = -1; // takes the focus of a retry button that is hidden
  retry.textContent = "Retry";
  retry.onclick = frame.retry;

  return (view) => {
    const { widget, site, state } = view;
    card.style.color = widget.textColor;
    card.style.backgroundColor = widget.backgroundColor;
    card.style.setProperty("--align", widget.align);
    title.style.font = widget.font.font;
    name.style.textDecoration = widget.font.textDecoration;
    card.dataset.state = state;
    write(greeting, site.greeting);
    write(name, widget.displayName);
    message.setAttribute("aria-live", view.announces ? "polite" : "off");
    status.hidden = !widget.showStatus;
    write(message, sentence(view));
    retry.disabled = !!view.wait;
    if (state !== "failed" && root.activeElement === retry) {
      message.focus();
    }
    retry.hidden = state !== "failed";
    return widget.showStatus;
  };
};

function sentence({ state, wait, answer }: View): string {
  if (state === "failed") {
    return wait ? `Busy for ${wait} s` : "Can’t connect";
  }
  if (!answer) {
    if (state === "loading") {
      return "Connecting…";
    }
    // Wix hands out no token in the editor, which frames the page. Elsewhere something is wrong.
    return self !== top ? "Connects when published" : "Not connected";
  }
  const site = text(answer.instance?.siteDisplayName);
  return answer.status === "Success" ? `Connected${site && " to "}${site}` : "Not linked to a site";
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

/** Writes only what differs: a live region is announced at every write. */
function write(element: HTMLElement, text: string) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
