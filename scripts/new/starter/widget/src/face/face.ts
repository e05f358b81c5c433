// What the widget shows: a card with its heading, and the message of the site. frame/types.ts
// says what a face is given; the frame does the rest.

import type { Face, View } from "../frame/types";
import css from "./face.css?inline";

export { css };

export const face: Face = (root, frame) => {
  const card = document.createElement("div");
  const heading = document.createElement("p");
  const message = document.createElement("p");
  const retry = document.createElement("button");
  card.setAttribute("part", "card");
  heading.setAttribute("part", "heading");
  message.setAttribute("part", "message");
  retry.setAttribute("part", "retry");
  retry.textContent = "Retry";
  retry.onclick = frame.retry;
  card.append(heading, message, retry);
  root.append(card);

  return (view) => {
    const { widget, state } = view;
    card.style.color = widget.textColor;
    card.style.backgroundColor = widget.backgroundColor;
    heading.textContent = widget.heading;
    message.ariaLive = view.announces ? "polite" : "off";
    const text = sentence(view);
    if (message.textContent !== text) {
      message.textContent = text; // a screen reader announces every write
    }
    retry.hidden = state !== "failed";
    retry.disabled = !!view.wait;
  };
};

/** The site's message, or why it is not there. */
function sentence({ state, wait, answer, site }: View): string {
  if (state === "failed") {
    return wait ? `Busy for ${wait} s` : "Can’t connect";
  }
  return answer ? site.message : "…";
}
