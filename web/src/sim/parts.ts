// Parts of the first page that its lists and forms share.

import { Refusal, reason } from "../control";
import { copyButtons } from "../copy";
import { h } from "../dom";
import { laidOut } from "./format";
import type { Names } from "./names";

type Child = Node | string | null | false;

export const tag = (text: string, kind = ""): HTMLElement =>
  h("span", { class: `tag ${kind}` }, text);

/** Facts as a list of terms. Those without a value are left out. */
export function facts(...rows: [string, Child][]): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    ...rows
      .filter(([, value]) => value !== null && value !== false && value !== "")
      .map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}

/** A site by its name, with links to it. */
export function siteFact(instanceId: string | undefined, names: Names, list: string): Child {
  return instanceId
    ? h(
        "span",
        { class: "of-site" },
        names.of(instanceId),
        " ",
        h("a", { href: `#${list}/${instanceId}` }, "only this site"),
        " ",
        h("a", { href: `editor?instance=${instanceId}` }, "editor"),
      )
    : null;
}

/** Text such as a body, laid out and with a button that copies it. */
export function block(label: string, text: string): HTMLElement {
  const laid = laidOut(text);
  const part = h(
    "div",
    { class: "block" },
    h(
      "div",
      { class: "block-head" },
      h("strong", {}, label),
      h(
        "button",
        { type: "button", class: "copy", "data-copy": laid, "aria-label": `Copy ${label}` },
        "Copy",
      ),
    ),
    h("pre", { tabindex: 0, role: "region", "aria-label": label }, h("code", {}, laid)),
  );
  copyButtons(part);
  return part;
}

/** The headers of a message. */
export const headers = (all: Record<string, string>): HTMLElement =>
  facts(...Object.entries(all).sort(([a], [b]) => a.localeCompare(b)));

/** The text of a form's field, without the spaces around it. */
export function textOf(form: HTMLFormElement, name: string): string {
  const field = form.elements.namedItem(name);
  return field && "value" in field ? String(field.value).trim() : "";
}

/** Shows at a form's field why it was refused, and moves the focus there. */
export function showFault(form: HTMLFormElement, error: unknown): void {
  clearFault(form);
  const place = form.querySelector<HTMLElement>(".field-fault");
  const field =
    error instanceof Refusal && error.field
      ? form.elements.namedItem(error.field.split(/[.[]/)[0] ?? "")
      : null;
  if (!place) {
    return;
  }
  if (field instanceof HTMLElement) {
    place.id ||= `${form.id}-fault`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", place.id);
    field.closest("label")?.after(place);
    field.focus();
  }
  const text = reason(error);
  place.textContent = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export function clearFault(form: HTMLFormElement): void {
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  const place = form.querySelector(".field-fault");
  if (place) {
    place.textContent = "";
  }
}

/** Calls send for each submission, one at a time, and shows its errors at the fields. */
export function onSubmit(form: HTMLFormElement, send: () => Promise<void>): void {
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) {
      return;
    }
    busy = true;
    clearFault(form);
    try {
      await send();
    } catch (error) {
      showFault(form, error);
    } finally {
      busy = false;
    }
  });
}
