// The tabs of the first page. The address's fragment names the tab, and for the lists the site
// that they are about: #calls or #calls/<instance id>.

interface Place {
  tab: string;
  /** The site that the lists show, or "" for all. */
  instance: string;
}

/** Reads a fragment. What it does not name is the first tab, and all sites. */
export function placeOf(fragment: string, tabs: readonly string[]): Place {
  const [tab = "", instance = ""] = fragment.replace(/^#/, "").split("/");
  return tabs.includes(tab)
    ? { tab, instance: /^[0-9a-f-]{36}$/i.test(instance) ? instance : "" }
    : { tab: tabs[0] ?? "", instance: "" };
}

/** Where a key leads to from a tab, or null where it leads nowhere. */
export function tabAfter(key: string, at: number, count: number): number | null {
  switch (key) {
    case "ArrowRight":
      return (at + 1) % count;
    case "ArrowLeft":
      return (at - 1 + count) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
  }
  return null;
}

/** lists are the tabs whose fragment names a site. shown is called after each change. */
export function tabsIn(
  list: HTMLElement,
  lists: readonly string[],
  shown: (place: Place) => void,
): void {
  const buttons = [...list.querySelectorAll<HTMLButtonElement>("[role=tab]")];
  const ids = buttons.map((button) => button.id.replace("tab-", ""));
  let instance = "";

  function show(): void {
    const place = placeOf(location.hash, ids);
    if (lists.includes(place.tab)) {
      instance = place.instance;
    }
    for (const [i, button] of buttons.entries()) {
      const selected = ids[i] === place.tab;
      button.setAttribute("aria-selected", String(selected));
      button.tabIndex = selected ? 0 : -1;
      if (selected) {
        button.classList.remove("new"); // what is new is seen now
      }
      const panel = document.getElementById(button.getAttribute("aria-controls") ?? "");
      if (panel) {
        panel.hidden = !selected;
      }
    }
    shown({ tab: place.tab, instance });
  }

  for (const [i, button] of buttons.entries()) {
    const go = (to: number) => {
      const id = ids[to] ?? "";
      location.hash = lists.includes(id) && instance ? `${id}/${instance}` : id;
      buttons[to]?.focus();
    };
    button.addEventListener("click", () => go(i));
    button.addEventListener("keydown", (event) => {
      const to = tabAfter(event.key, i, buttons.length);
      if (to !== null) {
        event.preventDefault();
        go(to);
      }
    });
  }
  addEventListener("hashchange", show);
  show();
}
