// "This widget": the settings in the attributes of the selected widget.
import { EmptyState, SidePanel, Text, TextButton } from "@wix/design-system";
import type { WidgetProps } from "../props";
import type { WidgetState } from "../widgetModel";
import { AlignField } from "./AlignField";
import { ColorField } from "./ColorField";
import { useMessages, usePanel, useSignal } from "./context";
import { FontField } from "./FontField";
import { Loading } from "./Loading";
import { NameField } from "./NameField";
import { NoticeBox } from "./NoticeBox";
import { ResetField } from "./ResetField";
import { StatusField } from "./StatusField";

export function WidgetSection() {
  const { widget: words } = useMessages();
  const { widget } = usePanel();
  const state = useSignal(widget.state);
  return (
    <SidePanel.Section title={words.title} as="h2">
      <Body state={state} />
    </SidePanel.Section>
  );
}

function Body({ state }: { state: WidgetState }) {
  const messages = useMessages();
  const { widget } = usePanel();
  switch (state.status) {
    case "loading":
      return <Loading fields={5} />;
    case "ready":
      return <Form props={state.props} unsent={state.unsent} />;
    case "no-selection":
      return (
        <SidePanel.Field>
          <div role="status">
            <EmptyState
              skin="section"
              title={messages.noSelection.title}
              subtitle={
                <Text size="small" secondary>
                  {messages.noSelection.body}
                </Text>
              }
            >
              <TextButton size="small" onClick={() => void widget.load()}>
                {messages.noSelection.action}
              </TextButton>
            </EmptyState>
          </div>
        </SidePanel.Field>
      );
    default:
      return (
        <NoticeBox
          notice={messages.unreadable}
          action={{ label: messages.tryAgain, run: () => void widget.load() }}
        />
      );
  }
}

function Form({ props, unsent }: { props: WidgetProps; unsent: boolean }) {
  const { widget: words } = useMessages();
  return (
    <>
      <NameField value={props.displayName} />
      <ColorField name="textColor" label={words.textColor} value={props.textColor} />
      <ColorField
        name="backgroundColor"
        label={words.backgroundColor}
        value={props.backgroundColor}
      />
      <FontField value={props.font} />
      <AlignField value={props.align} />
      <StatusField value={props.showStatus} />
      <div role="alert">
        {unsent && (
          <SidePanel.Field>
            <Text size="small" skin="error">
              {words.unsent}
            </Text>
          </SidePanel.Field>
        )}
      </div>
      <ResetField />
    </>
  );
}
