// Shown after a conflict of two saves: both values, and the choice between them.
import { Box, Button, SectionHelper, SidePanel, Text } from "@wix/design-system";
import { useEffect, useRef } from "react";
import { useMessages, usePanel } from "./context";

export function Conflict({ theirs, mine }: { theirs: string; mine: string }) {
  const { site: words } = useMessages();
  const { site } = usePanel();
  const box = useRef<HTMLDivElement>(null);

  // The Save button, which had the focus, is no longer there.
  useEffect(() => box.current?.focus(), []);

  return (
    <SidePanel.Field>
      <div ref={box} tabIndex={-1} role="alert" className="quiet-focus">
        <SectionHelper skin="warning" size="small" fullWidth title={words.conflict.title}>
          {words.conflict.body}
          <dl className="choices">
            <Choice label={words.conflict.theirs} value={theirs} />
            <Choice label={words.conflict.mine} value={mine} />
          </dl>
        </SectionHelper>
      </div>
      <Box gap="SP2" marginTop="SP2">
        <Button size="small" onClick={() => site.takeTheirs()}>
          {words.useTheirs}
        </Button>
        <Button size="small" priority="secondary" onClick={() => void site.keepMine()}>
          {words.keepMine}
        </Button>
      </Box>
    </SidePanel.Field>
  );
}

const Choice = ({ label, value }: { label: string; value: string }) => (
  <div>
    <dt>
      <Text size="tiny" secondary>
        {label}
      </Text>
    </dt>
    <dd>
      <Text size="small" weight="normal">
        {value}
      </Text>
    </dd>
  </div>
);
