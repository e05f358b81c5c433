// A color, chosen in the editor's own picker, which offers the site's theme colors.
import { FillPreview } from "@wix/design-system";
import { useRef, useState } from "react";
import { usePanel } from "../components/context";
import { returnFocus } from "../focus";
import type { ControlProps, Declared, Field } from "./kind";

interface ColorSpec extends Declared {
  fallback?: string;
}

/** The value is a CSS color, or var(--…, color) for a color of the site's theme. */
export function color<const N extends string>(name: N, spec: ColorSpec): Field<N, string> {
  const { fallback = "" } = spec;
  return {
    ...spec,
    name,
    beside: true,
    parse: (raw) => (typeof raw === "string" && raw.trim()) || fallback,
    format: (value) => value,
    clean: (value) => value,
    check: () => null,
    show: (value) => value,
    Control: ColorControl,
  };
}

function ColorControl({ id, label, placeholder, value, set, flush }: ControlProps<string>) {
  const { editor } = usePanel();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);

  const take = (chosen: unknown) => {
    if (typeof chosen === "string" && chosen !== "") {
      set(chosen);
    }
  };
  const choose = async () => {
    setOpen(true);
    try {
      await editor.inputs.selectColor(value, { onChange: take });
    } catch {
      // The picker was closed, or the editor has none: the color stays.
    } finally {
      setOpen(false);
      flush();
      returnFocus(box.current);
    }
  };

  return (
    <div ref={box}>
      <FillPreview
        id={id}
        aria-label={`${label}: ${value || placeholder}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        selected={open}
        fill={value}
        size="small"
        onClick={() => void choose()}
      />
    </div>
  );
}
