// Small helpers to build and find elements. No string ever becomes HTML.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | EventListener | null | undefined>;

/** Makes an element: on… properties are listeners, true is an empty attribute, false and null are none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value != null) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((c): c is Node | string => Boolean(c)));
  return element;
}

/** Finds an element that the page is known to have. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error(`the page has no #${id}`);
  }
  return element as T;
}

/** Reads what the server left for the page's script. */
export function boot<T>(): T {
  return JSON.parse(byId("boot").textContent ?? "") as T;
}

/** Marks one button of a group as the pressed one. */
export function press(buttons: Iterable<Element>, pressed: (button: HTMLElement) => boolean): void {
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(pressed(button as HTMLElement)));
  }
}
