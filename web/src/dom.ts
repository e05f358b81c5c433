// Helpers that create and find elements. They never parse a string as HTML.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | EventListener | null | undefined>;

/** Creates an element. Functions become listeners (onclick), true an empty attribute; false and null are left out. */
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

/** Returns an element that the page must have. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error(`the page has no #${id}`);
  }
  return element as T;
}

/** Reads the data that the server passes to the page's script. */
export function boot<T>(): T {
  return JSON.parse(byId("boot").textContent ?? "") as T;
}

/** Sets which button of a group is pressed. */
export function press(buttons: Iterable<Element>, pressed: (button: HTMLElement) => boolean): void {
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(pressed(button as HTMLElement)));
  }
}
