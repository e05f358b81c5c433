// A message between the fields, with at most one action.
import { SectionHelper, SidePanel } from "@wix/design-system";
import type { Notice } from "../messages";

interface Props {
  notice: Notice;
  note?: string;
  /** Without run the button is disabled. */
  action?: { label: string; run?: () => void };
}

export function NoticeBox({ notice, note, action }: Props) {
  return (
    <SidePanel.Field>
      <div role="alert">
        <SectionHelper
          skin="warning"
          size="small"
          fullWidth
          title={notice.title}
          actionText={action?.label}
          actionDisabled={action && !action.run}
          onAction={action?.run}
        >
          {notice.body}
          {note && <span className="note">{note}</span>}
        </SectionHelper>
      </div>
    </SidePanel.Field>
  );
}
