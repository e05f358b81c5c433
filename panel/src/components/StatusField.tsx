// Whether the widget shows its status line.
import { FormField, SidePanel, ToggleSwitch } from "@wix/design-system";
import { useMessages, usePanel } from "./context";

export function StatusField({ value }: { value: boolean }) {
  const { widget: words } = useMessages();
  const { widget } = usePanel();
  return (
    <SidePanel.Field>
      <FormField
        label={words.showStatus}
        id="show-status"
        labelPlacement="left"
        labelWidth="1fr"
        inputWidth="auto"
      >
        <ToggleSwitch
          id="show-status"
          size="medium"
          checked={value}
          onChange={() => widget.set("showStatus", !value)}
        />
      </FormField>
    </SidePanel.Field>
  );
}
