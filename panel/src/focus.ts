// Where the focus goes when what had it is gone.

/** Focuses the button in a box, unless something else in the panel has taken the focus in the meantime. */
export function returnFocus(box: HTMLElement | null): void {
  const { activeElement, body } = document;
  if (activeElement === null || activeElement === body || box?.contains(activeElement)) {
    box?.querySelector("button")?.focus();
  }
}
