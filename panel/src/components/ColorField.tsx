// A color, chosen in the editor's own picker, which offers the site's theme colors.
import { FillPreview, FormField, SidePanel } from "@wix/design-system";
import { useState } from "react";
import { usePanel } from "./context";

interface Props {
  name: "textColor" | "backgroundColor";
  label: string;
  value: string;
}

export function ColorField({ name, label, value }: Props) {
  const { editor, widget } = usePanel();
  const [open, setOpen] = useState(false);
  const id = `${name}-button`;

  const take = (color: unknown) => {
    if (typeof color === "string" && color !== "") {
      widget.set(name, color);
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
    }
  };

  return (
    <SidePanel.Field>
      <FormField
        label={label}
        id={id}
        labelId={`${name}-label`}
        labelPlacement="left"
        labelWidth="1fr"
        inputWidth="auto"
      >
        <FillPreview
          id={id}
          aria-label={`${label}: ${value}`}
          aria-haspopup="dialog"
          aria-expanded={open}
          selected={open}
          fill={value}
          size="small"
          onClick={() => void choose()}
        />
      </FormField>
    </SidePanel.Field>
  );
}
