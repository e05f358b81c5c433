// The display name. The stage is updated when the typing pauses, and at once when the field loses the focus.
import { FormField, Input, SidePanel } from "@wix/design-system";
import { useMessages, usePanel } from "./context";

export function NameField({ value }: { value: string }) {
  const { widget: words } = useMessages();
  const { widget } = usePanel();
  return (
    <SidePanel.Field>
      <FormField label={words.displayName} id="display-name">
        <Input
          id="display-name"
          size="small"
          value={value}
          placeholder={words.displayNamePlaceholder}
          autocomplete="off"
          onChange={(event) => widget.type("displayName", event.target.value)}
          onBlur={() => widget.flush()}
          onEnterPressed={() => widget.flush()}
        />
      </FormField>
    </SidePanel.Field>
  );
}
