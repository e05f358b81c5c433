// The alignment of the text, as icons.
import { SegmentedToggle } from "@wix/design-system";
import {
  TextAlignCenterSmall,
  TextAlignLeftSmall,
  TextAlignRightSmall,
} from "@wix/wix-ui-icons-common";
import type { ReactNode, SyntheticEvent } from "react";
import { useSay } from "../components/context";
import type { ControlProps } from "../kinds/kind";
import type { WidgetSettings } from "../settings.gen";

type Align = WidgetSettings["align"];

// panel.css mirrors the outer two in a panel that reads right to left.
const ICONS: { [A in Align]?: ReactNode } = {
  start: <TextAlignLeftSmall className="mirrored" />,
  center: <TextAlignCenterSmall />,
  end: <TextAlignRightSmall className="mirrored" />,
};

export function AlignControl({ field, labelId, value, set }: ControlProps<Align>) {
  const say = useSay();
  return (
    <SegmentedToggle
      size="small"
      ariaLabelledby={labelId}
      selected={value}
      onClick={(_: SyntheticEvent, chosen: string) => set(chosen as Align)}
    >
      {(field.of ?? []).map(({ value, label }) => (
        <SegmentedToggle.Icon
          key={value}
          value={value}
          tooltipText={say(label)}
          aria-label={say(label)}
        >
          {ICONS[value]}
        </SegmentedToggle.Icon>
      ))}
    </SegmentedToggle>
  );
}
