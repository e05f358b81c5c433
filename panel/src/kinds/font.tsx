// A font, chosen in the editor's own picker.
import { Button } from "@wix/design-system";
import { ChevronDown } from "@wix/wix-ui-icons-common";
import { useRef } from "react";
import { useMessages, usePanel } from "../components/context";
import { returnFocus } from "../focus";
import type { Messages } from "../messages";
import type { ControlProps, Declared, Field } from "./kind";

/** The result of the editor's font picker. The attribute holds it as JSON. */
export interface Font {
  /** A CSS font shorthand, var(--…, shorthand) for a font of the site's theme, or "" for the widget's own. */
  font: string;
  textDecoration: string;
}

export function font<const N extends string>(name: N, spec: Declared): Field<N, Font> {
  return {
    ...spec,
    name,
    parse: parseFont,
    format: (value) => {
      if (value.font === "") {
        return "";
      }
      return JSON.stringify(value.textDecoration ? value : { font: value.font });
    },
    clean: (value) => value,
    check: () => null,
    show: (value, say, messages) =>
      value.font
        ? describeFont(value.font, messages)
        : spec.placeholder
          ? say(spec.placeholder)
          : "",
    Control: FontControl,
  };
}

function FontControl({ id, label, placeholder, value, set, flush }: ControlProps<Font>) {
  const { editor } = usePanel();
  const messages = useMessages();
  const box = useRef<HTMLDivElement>(null);
  const text = value.font ? describeFont(value.font, messages) : placeholder;

  const take = (chosen: unknown) => {
    const picked = parseFont(chosen);
    if (picked.font === "") {
      return;
    }
    set(picked);
    // The page loads a custom element's fonts only when they are reported here. Not every editor has this call.
    editor.widget.setPreloadFonts([picked.font]).catch(() => {});
  };
  const choose = async () => {
    try {
      await editor.inputs.selectFont(value.font ? value : undefined, { onChange: take });
    } catch {
      // The picker was closed, or the editor has none: the font stays.
    }
    flush();
    returnFocus(box.current);
  };

  return (
    <div ref={box}>
      <Button
        id={id}
        size="small"
        priority="secondary"
        skin="dark"
        fullWidth
        ellipsis
        suffixIcon={<ChevronDown />}
        aria-label={`${label}: ${text}`}
        aria-haspopup="dialog"
        className="value-button"
        onClick={() => void choose()}
      >
        {text}
      </Button>
    </div>
  );
}

function parseFont(raw: unknown): Font {
  let value = raw;
  try {
    value = typeof raw === "string" ? JSON.parse(raw) : raw;
  } catch {
    // a text that is not JSON
  }
  const { font, textDecoration } = (value ?? {}) as Partial<Record<keyof Font, unknown>>;
  if (typeof font !== "string" || font.trim() === "") {
    return { font: "", textDecoration: "" };
  }
  return { font, textDecoration: typeof textDecoration === "string" ? textDecoration : "" };
}

/** A font in words: the site's own text style, if it is one, and the first family and the size: "Georgia, 24px". */
export function describeFont(font: string, messages: Messages): string {
  const [, variable = "", fallback] = /^var\(\s*--([\w-]+)\s*,(.*)\)$/.exec(font.trim()) ?? [];
  const shorthand = fallback ?? font;
  const size = /(\d+(?:\.\d+)?(?:px|em|rem|pt|%))(?:\/\S+)?\s+/.exec(shorthand);
  const families = size ? shorthand.slice(size.index + size[0].length) : shorthand;
  const family = (families.split(",")[0] ?? "").replace(/["']/g, "").trim();
  const words = size ? `${family}, ${size[1]}` : family;
  const [, style, number] = /(heading|paragraph)-(\d)/.exec(variable) ?? [];
  return style
    ? messages.textStyle(style as "heading" | "paragraph", Number(number), words)
    : words;
}
