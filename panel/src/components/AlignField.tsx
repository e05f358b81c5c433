// The alignment of the text.
import { FormField, SegmentedToggle, SidePanel } from "@wix/design-system";
import {
  TextAlignCenterSmall,
  TextAlignLeftSmall,
  TextAlignRightSmall,
} from "@wix/wix-ui-icons-common";
import type { SyntheticEvent } from "react";
import type { Align } from "../props";
import { useMessages, usePanel } from "./context";

// panel.css mirrors the outer two in a panel that reads right to left.
const ICONS = {
  start: <TextAlignLeftSmall className="mirrored" />,
  center: <TextAlignCenterSmall />,
  end: <TextAlignRightSmall className="mirrored" />,
};

export function AlignField({ value }: { value: Align }) {
  const { widget: words } = useMessages();
  const { widget } = usePanel();
  return (
    <SidePanel.Field>
      <FormField
        label={words.align}
        labelId="align-label"
        labelPlacement="left"
        labelWidth="1fr"
        inputWidth="auto"
      >
        <SegmentedToggle
          size="small"
          ariaLabelledby="align-label"
          selected={value}
          onClick={(_: SyntheticEvent, chosen: string) => widget.set("align", chosen as Align)}
        >
          {(Object.keys(ICONS) as Align[]).map((align) => (
            <SegmentedToggle.Icon
              key={align}
              value={align}
              tooltipText={words.alignments[align]}
              aria-label={words.alignments[align]}
            >
              {ICONS[align]}
            </SegmentedToggle.Icon>
          ))}
        </SegmentedToggle>
      </FormField>
    </SidePanel.Field>
  );
}
