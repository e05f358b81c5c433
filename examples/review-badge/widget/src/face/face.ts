// The badge: the site's average, and five stars that show it and take a visitor's own: a click
// on the fourth gives four.

import { number, text } from "../frame/kinds";
import type { Face } from "../frame/types";
import css from "./face.css?inline";

export { css };

export const face: Face = (root, { ask, refresh, retry }) => {
  const make = <Tag extends "div" | "p" | "b" | "span" | "button">(tag: Tag, part: string) => {
    const element = document.createElement(tag);
    element.setAttribute("part", part);
    return element;
  };
  const card = make("div", "card");
  const title = make("p", "title");
  const average = make("p", "average");
  const mean = make("b", "mean");
  const count = make("span", "count");
  const stars = make("div", "stars");
  const message = make("p", "message");
  const again = make("button", "retry");
  let said = "";
  stars.role = "group";
  message.tabIndex = -1; // takes the focus of a star that was pressed
  again.textContent = "Retry";
  again.onclick = retry;
  for (const given of [1, 2, 3, 4, 5]) {
    const star = make("button", "star");
    star.ariaLabel = `${given} of 5 stars`;
    star.onclick = async () => {
      const { code, body } = await ask("reviews", { method: "POST", body: { stars: given } });
      said = code ? text(body?.error, "Please try again") : "Thank you!";
      stars.inert = !code;
      message.focus();
      refresh();
    };
    stars.append(star);
  }
  average.append(mean, count);
  card.append(title, average, stars, message, again);
  root.append(card);

  return ({ widget, site, answer, state, wait, announces }) => {
    card.style.color = widget.textColor;
    card.style.backgroundColor = widget.backgroundColor;
    stars.style.color = widget.starColor;
    title.textContent = site.title;
    const reviews = number(answer?.reviews, 0);
    const stand = number(answer?.average, 0);
    mean.textContent = reviews ? stand.toFixed(1) : "";
    count.textContent = reviews
      ? ` of 5 · ${reviews} review${reviews > 1 ? "s" : ""}`
      : "No reviews yet";
    [...stars.children].forEach((star, i) => {
      star.toggleAttribute("data-on", i < Math.round(stand));
    });
    stars.ariaLabel = site.invitation;
    message.ariaLive = announces ? "polite" : "off";
    const words = said || site.invitation;
    if (message.textContent !== words) {
      message.textContent = words; // a screen reader announces every write
    }
    again.hidden = state !== "failed";
    again.disabled = !!wait;
  };
};
