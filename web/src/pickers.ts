// The editor's color, font and link pickers: small dialogs over the panel. A picker
// stays open until it is closed, and reports every choice at once.

import { h } from "./dom";
import { colors, fonts } from "./theme";

interface ColorChoice {
  color: string;
  theme?: string;
  cssVariableTheme?: string;
}

interface FontChoice {
  family: string;
  size: number;
  bold: boolean;
  italic: boolean;
  underline: boolean;
  cssVariableName?: string;
}

/** The current font, as @wix/editor in a panel passes it. */
interface FontStyle {
  family?: string;
  size?: number | string;
  style?: { bold?: boolean; italic?: boolean; underline?: boolean };
  editorKey?: string;
}

interface LinkChoice {
  type: "ExternalLink";
  url: string;
  target: "_blank";
}

export interface Pickers {
  color(current: string | undefined, choose: (c: ColorChoice) => void): Promise<void>;
  font(
    current: FontStyle | undefined,
    choose: (f: FontChoice, accessibility?: unknown) => void,
  ): Promise<void>;
  link(current: string | undefined): Promise<LinkChoice | undefined>;
  /** Closes the open picker. */
  close(): void;
}

/** Opens the pickers inside the given element, one at a time. */
export function pickersIn(container: HTMLElement): Pickers {
  let closeOpen = () => {};

  // show resolves when its dialog is closed by its button, by Escape or by another picker.
  const show = (title: string, body: (close: () => void) => Node[]) =>
    new Promise<void>((resolve) => {
      closeOpen();
      const before = document.activeElement;
      const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape") {
          close();
        }
      };
      const close = () => {
        if (!dialog.isConnected) {
          return;
        }
        document.removeEventListener("keydown", onKey);
        closeOpen = () => {};
        dialog.remove();
        if (before instanceof HTMLElement) {
          before.focus();
        }
        resolve();
      };
      const dialog = h(
        "dialog",
        { class: "picker", "aria-label": title },
        h(
          "div",
          { class: "picker-head" },
          h("h3", {}, title),
          h("button", { type: "button", class: "button small", onclick: close }, "Done"),
        ),
        ...body(close),
      );
      document.addEventListener("keydown", onKey);
      container.replaceChildren(dialog);
      closeOpen = close;
      dialog.show();
    });

  return {
    close: () => closeOpen(),

    color: (current, choose) =>
      show("Color", () => {
        const theme = colors.find((c) => current === c.variable || current === c.key);
        const start = theme?.value ?? hexColor(current ?? "") ?? "#26302a";
        const mark = (key: string | null) => {
          for (const swatch of swatches) {
            swatch.setAttribute("aria-pressed", String(swatch.dataset.key === key));
          }
        };
        const swatches = colors.map((c) => {
          const swatch = h(
            "button",
            {
              type: "button",
              class: "swatch",
              "data-key": c.key,
              "aria-pressed": String(c.key === theme?.key),
              onclick: () => {
                mark(c.key);
                hex.value = well.value = c.value;
                fault.hidden = true;
                choose({ color: c.value, theme: c.key, cssVariableTheme: c.variable });
              },
            },
            h("i", {}),
            h("span", {}, c.name),
          );
          swatch.querySelector("i")?.style.setProperty("background", c.value);
          return swatch;
        });
        const custom = (value: string) => {
          mark(null);
          fault.hidden = true;
          hex.value = well.value = value;
          choose({ color: value });
        };
        const well = h("input", { type: "color", "aria-label": "Custom color", value: start });
        const hex = h("input", {
          type: "text",
          "aria-label": "Color code",
          value: start,
          spellcheck: "false",
          autocomplete: "off",
        });
        const fault = h("p", { class: "picker-fault", role: "alert", hidden: true });
        fault.textContent = "A color code has six digits, such as #6d2a4c.";
        well.addEventListener("input", () => custom(well.value));
        hex.addEventListener("change", () => {
          const value = hexColor(hex.value);
          if (value) {
            custom(value);
          } else {
            fault.hidden = false;
          }
        });
        return [
          h("p", { class: "picker-label" }, "Site colors"),
          h("div", { class: "swatches", role: "group", "aria-label": "Site colors" }, ...swatches),
          h("p", { class: "picker-label" }, "Another color"),
          h("div", { class: "picker-row" }, well, hex),
          fault,
        ];
      }),

    font: (current, choose) =>
      show("Font", () => {
        const variable = current?.editorKey?.startsWith("--") ? current.editorKey : undefined;
        const named = current?.family?.toLowerCase() ?? "";
        const start =
          fonts.find((f) => f.variable && f.variable === variable) ??
          fonts.find((f) => !f.variable && named.startsWith(f.family.toLowerCase()));
        const family = h("select", { "aria-label": "Font family" });
        fonts.forEach((f, i) => {
          family.append(h("option", { value: i, selected: f === (start ?? fonts[0]) }, f.name));
        });
        const size = h("input", {
          type: "number",
          min: "8",
          max: "120",
          "aria-label": "Size in pixels",
          value: String(Number(current?.size) || fonts[0]?.size || 16),
        });
        const toggle = (name: string, on: boolean | undefined) => {
          const button = h("button", {
            type: "button",
            class: `toggle ${name.toLowerCase()}`,
            "aria-pressed": String(Boolean(on)),
            "aria-label": name,
            onclick: () => {
              button.setAttribute("aria-pressed", String(!pressed(button)));
              report(false);
            },
          });
          button.textContent = name.charAt(0);
          return button;
        };
        const bold = toggle("Bold", current?.style?.bold);
        const italic = toggle("Italic", current?.style?.italic);
        const underline = toggle("Underline", current?.style?.underline);
        // A text style of the site includes size and weight. Changing one of them makes a
        // separate font for the widget.
        const report = (styleItself: boolean) => {
          const font = fonts[family.selectedIndex];
          if (!font) {
            return;
          }
          if (styleItself) {
            size.value = String(font.size);
          }
          choose({
            family: font.family,
            size: clamp(Number(size.value), 8, 120) || font.size,
            bold: pressed(bold),
            italic: pressed(italic),
            underline: pressed(underline),
            ...(styleItself && font.variable ? { cssVariableName: font.variable } : {}),
          });
        };
        family.addEventListener("change", () => report(true));
        size.addEventListener("change", () => report(false));
        return [
          h("label", { class: "picker-field" }, h("span", {}, "Family"), family),
          h("label", { class: "picker-field" }, h("span", {}, "Size"), size),
          h(
            "div",
            { class: "picker-row", role: "group", "aria-label": "Style" },
            bold,
            italic,
            underline,
          ),
        ];
      }),

    link: async (current) => {
      let choice: LinkChoice | undefined;
      await show("Link", (close) => {
        const url = h("input", {
          type: "url",
          "aria-label": "Web address",
          placeholder: "https://",
          value: current ?? "",
        });
        const form = h("form", {}, url, h("button", { class: "button small" }, "Use this address"));
        form.addEventListener("submit", (event) => {
          event.preventDefault();
          if (!url.value) {
            return;
          }
          choice = { type: "ExternalLink", url: url.value, target: "_blank" };
          close();
        });
        return [form];
      });
      return choice;
    },
  };
}

/** A color as #rrggbb, or null for any other text. */
export function hexColor(text: string): string | null {
  const digits = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1]?.toLowerCase();
  if (!digits) {
    return null;
  }
  return `#${digits.length === 3 ? [...digits].map((d) => d + d).join("") : digits}`;
}

function pressed(button: HTMLElement): boolean {
  return button.getAttribute("aria-pressed") === "true";
}

function clamp(n: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, n));
}
