// "This widget": the settings in the attributes of the selected widget.
import { EmptyState, SidePanel, Text, TextButton } from "@wix/design-system";
import { contrastOf, ENOUGH } from "../contrast";
import { widgetFields } from "../fields";
import type { Field } from "../kinds/kind";
import type { WidgetState } from "../widgetModel";
import { useMessages, usePanel, useSay, useSignal } from "./context";
import { Fields } from "./Fields";
import { Loading } from "./Loading";
import { NoticeBox } from "./NoticeBox";
import { ResetField } from "./ResetField";
import { Row } from "./Row";

export function WidgetSection() {
  const messages = useMessages();
  const { widget } = usePanel();
  const state = useSignal(widget.state);
  switch (state.status) {
    case "loading":
      return <Loading fields={widgetFields.length} />;
    case "ready":
      return <Form state={state} />;
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

function Form({ state }: { state: WidgetState & { status: "ready" } }) {
  const { widget: words } = useMessages();
  const { widget } = usePanel();
  const warningFor = useContrastWarning(widgetFields, state.values);
  return (
    <>
      <Fields fields={widgetFields}>
        {(field) => (
          <Row
            key={field.name}
            field={field}
            value={state.values[field.name]}
            stored={state.values[field.name]}
            wrong={state.wrong[field.name] ?? null}
            warning={warningFor(field)}
            set={(value) => widget.set(field.name, value)}
            type={(value) => widget.type(field.name, value)}
            flush={() => widget.flush()}
          />
        )}
      </Fields>
      <div role="alert">
        {state.unsent && (
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

/** Says of a color whether it can hardly be read on the one that it stands on. */
export function useContrastWarning(
  fields: readonly Field[],
  values: Readonly<Record<string, unknown>>,
): (field: Field) => string | null {
  const { lowContrast } = useMessages();
  const say = useSay();
  return ({ name, on }) => {
    const ground = on && fields.find((field) => field.name === on);
    if (!ground) {
      return null;
    }
    const contrast = contrastOf(String(values[name]), String(values[ground.name]));
    return contrast !== null && contrast < ENOUGH
      ? lowContrast(say(ground.label), (Math.floor(contrast * 10) / 10).toFixed(1))
      : null;
  };
}
