// The greeting and its Save button.
import { Box, Button, FormField, Input, Loader, SidePanel, Text } from "@wix/design-system";
import { Check } from "@wix/wix-ui-icons-common";
import type { Editing } from "../siteModel";
import { canSave, charactersIn, isChanged, MAX_GREETING } from "../siteModel";
import { useMessages, usePanel } from "./context";
import { FaultBox } from "./FaultBox";

export function GreetingForm({ state }: { state: Editing }) {
  const { site: words } = useMessages();
  const { site } = usePanel();
  const { draft, fault, invalid } = state;
  const saving = state.status === "saving";
  const savable = canSave(state);
  const save = () => void site.save();
  return (
    <>
      <SidePanel.Field>
        <FormField
          label={words.greeting}
          id="greeting"
          suffix={<Left count={MAX_GREETING - charactersIn(draft.trim())} />}
          status={invalid ? "error" : undefined}
          statusMessage={invalid ? words.invalid(invalid) : words.greetingHelp}
        >
          <Input
            id="greeting"
            size="small"
            value={draft}
            readOnly={saving}
            status={invalid ? "error" : undefined}
            hideStatusSuffix
            autocomplete="off"
            onChange={(event) => site.edit(event.target.value)}
            onEnterPressed={save}
          />
        </FormField>
        <Box verticalAlign="middle" gap="SP2" marginTop="SP2">
          <Button size="small" disabled={!savable} onClick={save}>
            {words.save}
          </Button>
          <Progress state={state} />
        </Box>
      </SidePanel.Field>
      {fault && (
        <FaultBox fault={fault} title={words.saveFailed} retry={savable ? save : undefined} />
      )}
    </>
  );
}

const Left = ({ count }: { count: number }) => (
  <Text size="small" secondary={count >= 0} skin={count < 0 ? "error" : "standard"}>
    {count}
  </Text>
);

function Progress({ state }: { state: Editing }) {
  const { site: words } = useMessages();
  if (state.status === "saving") {
    return (
      <Box verticalAlign="middle" gap="SP1">
        <Loader size="tiny" />
        <Text size="small" secondary>
          {words.saving}
        </Text>
      </Box>
    );
  }
  if (state.status === "saved") {
    return (
      <Box verticalAlign="middle" gap="SP1">
        <Check className="done" />
        <Text size="small">{words.saved}</Text>
      </Box>
    );
  }
  if (!isChanged(state) || state.invalid) {
    return null;
  }
  return (
    <Text size="small" secondary>
      {words.unsaved}
    </Text>
  );
}
