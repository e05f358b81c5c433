// The font, chosen in the editor's own picker.
import { Button, FormField, SidePanel } from "@wix/design-system";
import { ChevronDown } from "@wix/wix-ui-icons-common";
import type { Font } from "../props";
import { describeFont } from "../props";
import { useMessages, usePanel } from "./context";

export function FontField({ value }: { value: Font | null }) {
  const { widget: words } = useMessages();
  const { editor, widget } = usePanel();
  const text = value ? describeFont(value) : words.pageFont;

  const take = (chosen: unknown) => {
    const { font, textDecoration } = (chosen ?? {}) as Partial<Font>;
    if (typeof font !== "string" || font === "") {
      return;
    }
    widget.set("font", textDecoration ? { font, textDecoration } : { font });
    // The page loads a custom element's fonts only when they are reported here. Not every editor has this call.
    editor.widget.setPreloadFonts([font]).catch(() => {});
  };
  const choose = async () => {
    try {
      await editor.inputs.selectFont(value ?? undefined, { onChange: take });
    } catch {
      // The picker was closed, or the editor has none: the font stays.
    }
  };

  return (
    <SidePanel.Field>
      <FormField label={words.font} id="font" labelId="font-label">
        <Button
          id="font"
          size="small"
          priority="secondary"
          skin="dark"
          fullWidth
          ellipsis
          suffixIcon={<ChevronDown />}
          aria-label={`${words.font}: ${text}`}
          aria-haspopup="dialog"
          className="value-button"
          onClick={() => void choose()}
        >
          {text}
        </Button>
      </FormField>
    </SidePanel.Field>
  );
}
