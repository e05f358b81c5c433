// One setting: its label, its control, and what there is to say about it.
import { FormField, SidePanel, Text } from "@wix/design-system";
import type { ReactNode } from "react";
import type { ControlProps, Field } from "../kinds/kind";
import type { Wrong } from "../wrong";
import { useLanguageOf, useMessages, useSay } from "./context";

interface Props extends Pick<ControlProps<unknown>, "value" | "stored" | "set" | "type" | "flush"> {
  field: Field;
  wrong: Wrong | null;
  /** What the owner should know of a value that is valid. */
  warning?: string | null;
  /** At the end of the label's line. */
  suffix?: ReactNode;
  /** Read out, besides what is wrong. */
  spoken?: string;
  /** Below the control. */
  children?: ReactNode;
}

const BESIDE = { labelPlacement: "left", labelWidth: "1fr", inputWidth: "auto" } as const;
/** From here on it is said how many characters are left. */
const FEW = 10;

export const idOf = (field: Field) => `${field.attribute ? "widget" : "site"}-${field.name}`;

export function Row({ field, value, wrong, warning, suffix, spoken, children, ...control }: Props) {
  const say = useSay();
  const languageOf = useLanguageOf();
  const messages = useMessages();
  const { Control, help, placeholder } = field;
  const id = idOf(field);
  const label = say(field.label);
  const fault = wrong && `${label} ${messages.wrong(wrong)}.`;
  const left = field.left?.(value) ?? FEW + 1;
  return (
    <SidePanel.Field>
      <FormField
        label={<span lang={languageOf(field.label)}>{label}</span>}
        id={id}
        labelId={`${id}-label`}
        status={fault ? "error" : warning ? "warning" : undefined}
        statusMessage={
          fault ?? warning ?? (help && <span lang={languageOf(help)}>{say(help)}</span>)
        }
        suffix={
          (suffix || left <= FEW) && (
            <span className="progress">
              {suffix}
              {left <= FEW && (
                <Text size="small" secondary={left >= 0} skin={left < 0 ? "error" : "standard"}>
                  {left}
                </Text>
              )}
            </span>
          )
        }
        {...(field.beside && BESIDE)}
      >
        <Control
          field={field}
          id={id}
          labelId={`${id}-label`}
          label={label}
          placeholder={placeholder ? say(placeholder) : ""}
          value={value}
          wrong={wrong !== null}
          {...control}
        />
      </FormField>
      <span role="status" className="unseen">
        {fault ?? warning ?? spoken}
      </span>
      {children}
    </SidePanel.Field>
  );
}
