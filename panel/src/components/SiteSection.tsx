// "All widgets on this site": the settings that the server stores for every widget at once, saved as they are edited.
import { Loader, SidePanel, Text, TextButton } from "@wix/design-system";
import { Check } from "@wix/wix-ui-icons-common";
import { siteFields } from "../fields";
import type { Field } from "../kinds/kind";
import type { Entry, SiteState } from "../siteModel";
import { canUndo } from "../siteModel";
import { Conflict } from "./Conflict";
import { useMessages, usePanel, useSignal } from "./context";
import { FaultBox } from "./FaultBox";
import { Fields } from "./Fields";
import { Loading } from "./Loading";
import { idOf, Row } from "./Row";
import { useContrastWarning } from "./WidgetSection";

export function SiteSection() {
  const panel = usePanel();
  const state = useSignal(panel.site.state);
  switch (state.status) {
    case "loading":
      return <Loading fields={siteFields.length} />;
    case "failed":
      return <FaultBox fault={state.fault} retry={panel.load} />;
    case "ready":
      return <Form state={state} />;
  }
}

function Form({ state }: { state: SiteState & { status: "ready" } }) {
  const { site: words } = useMessages();
  const { site } = usePanel();
  const values = Object.fromEntries(
    Object.entries(state.entries).map(([name, { value }]) => [name, value]),
  );
  const warningFor = useContrastWarning(siteFields, values);
  return (
    <>
      <Fields fields={siteFields}>
        {(field) => {
          const entry = state.entries[field.name];
          return (
            entry && (
              <Row
                key={field.name}
                field={field}
                value={entry.value}
                stored={entry.stored}
                wrong={entry.wrong}
                warning={warningFor(field)}
                suffix={<Progress field={field} entry={entry} />}
                spoken={entry.progress === "saved" ? words.saved : undefined}
                set={(value) => site.set(field.name, value)}
                type={(value) => site.type(field.name, value)}
                flush={() => site.flush()}
              >
                {entry.conflict && <Conflict field={field} entry={entry} />}
              </Row>
            )
          );
        }}
      </Fields>
      <SidePanel.Field>
        <Text size="small" secondary>
          {words.where}
        </Text>
      </SidePanel.Field>
      {state.fault && (
        <FaultBox fault={state.fault} title={words.saveFailed} retry={() => site.retry()} />
      )}
    </>
  );
}

/** How the saving goes, and the way back. */
function Progress({ field, entry }: { field: Field; entry: Entry }) {
  const { site: words } = useMessages();
  const { site } = usePanel();
  const undo = () => {
    // The button goes with what it undoes.
    document.getElementById(idOf(field))?.focus();
    site.undo(field.name);
  };
  return (
    <>
      {entry.progress === "saving" && (
        <>
          <Loader size="tiny" />
          <Text size="small" secondary>
            {words.saving}
          </Text>
        </>
      )}
      {entry.progress === "saved" && (
        <>
          <Check className="done" />
          <Text size="small" secondary>
            {words.saved}
          </Text>
        </>
      )}
      {field.undo !== false && canUndo(entry) && (
        <TextButton
          size="small"
          aria-describedby={`${idOf(field)}-label`}
          className="target"
          onClick={undo}
        >
          {words.undo}
        </TextButton>
      )}
    </>
  );
}
