// The badge: the site's average, and five stars that show it and take a visitor's own: a click
// on the fourth gives four.

import { number, text } from "../frame/kinds";
import type { Face } from "../frame/types";
import css from "./face.css?inline";

export { css };

export const face: Face = (root, { ask, refresh, retry }) => {
  const make = <Tag extends "div" | "p" | "button">(tag: Tag, part: string) => {
    const element = document.createElement(tag);
    element.setAttribute("part", part);
    return element;
  };
  const card = make("div", "card");
  const title = make("p", "title");
  const average = make("p", "average");
  const stars = make("div", "stars");
  const message = make("p", "message");
  const again = make("button", "retry");
  stars.role = "group";
  message.tabIndex = -1; // takes the focus of a button that is gone
  again.textContent = "Retry";
  again.onclick = retry;
  for (const given of [1, 2, 3, 4, 5]) {
    const star = make("button", "star");
    star.ariaLabel = `${given} of 5 stars`;
    star.onclick = async () => {
      const { code, body } = await ask("reviews", { method: "POST", body: { stars: given } });
      message.textContent = code ? text(body?.error, "Please try again") : "Thank you!";
      if (!code) {
        stars.inert = true;
        message.focus();
        refresh();
      }
    };
    stars.append(star);
  }
  card.append(title, average, stars, message, again);
  root.append(card);

  return ({ widget, site, answer, state, wait, announces }) => {
    card.style.color = widget.textColor;
    card.style.backgroundColor = widget.backgroundColor;
    stars.style.color = widget.starColor;
    title.textContent = site.title;
    stars.ariaLabel = site.invitation;
    const count = number(answer?.reviews, 0);
    const mean = number(answer?.average, 0);
    average.textContent = count
      ? `${mean.toFixed(1)} of 5 · ${count} review${count > 1 ? "s" : ""}`
      : site.invitation;
    [...stars.children].forEach((star, i) => {
      star.toggleAttribute("data-on", i < Math.round(mean));
    });
    message.ariaLive = announces ? "polite" : "off";
    again.hidden = state !== "failed";
    again.disabled = !!wait;
  };
};
