// Shown at a setting that someone else has changed in the meantime: both values, and the choice between them.
import { Button, SectionHelper, Text } from "@wix/design-system";
import type { Field } from "../kinds/kind";
import type { Entry } from "../siteModel";
import { useMessages, usePanel, useSay } from "./context";

export function Conflict({ field, entry }: { field: Field; entry: Entry }) {
  const messages = useMessages();
  const { site } = usePanel();
  const say = useSay();
  const words = messages.site;
  const show = (value: unknown) => field.show(value, say, messages);
  return (
    <div className="conflict">
      <div role="alert">
        <SectionHelper
          skin="warning"
          size="small"
          fullWidth
          title={words.conflict.title(say(field.label))}
        >
          {words.conflict.body}
          <dl className="choices">
            <Choice label={words.conflict.theirs} value={show(entry.stored)} />
            <Choice label={words.conflict.mine} value={show(entry.value)} />
          </dl>
        </SectionHelper>
      </div>
      <div className="actions">
        <Button size="small" onClick={() => site.takeTheirs(field.name)}>
          {words.useTheirs}
        </Button>
        <Button
          size="small"
          priority="secondary"
          disabled={entry.wrong !== null}
          onClick={() => site.keepMine(field.name)}
        >
          {words.keepMine}
        </Button>
      </div>
    </div>
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
