// "About this app": the site, its plan, and the instance id that support asks for.
import { FormField, IconButton, Input, SidePanel, Text } from "@wix/design-system";
import { Check, Duplicate } from "@wix/wix-ui-icons-common";
import { useRef, useState } from "react";
import type { Instance } from "../api";
import { copyFrom } from "../copy";
import type { Messages } from "../messages";
import { useMessages, usePanel, useSignal } from "./context";
import { Loading } from "./Loading";

export function AboutSection() {
  const { instance } = usePanel();
  const state = useSignal(instance.state);
  // What fails here fails in the other parts too, which say why.
  return state.status === "loading" ? (
    <Loading fields={1} />
  ) : (
    <Facts instance={state.status === "ready" ? state.data : {}} />
  );
}

function Facts({ instance }: { instance: Instance }) {
  const { about: words } = useMessages();
  return (
    <>
      {instance.siteDisplayName && <Fact label={words.site} value={instance.siteDisplayName} />}
      <Fact label={words.plan} value={planName(instance.plan, words)} />
      {instance.instanceId ? (
        <InstanceId value={instance.instanceId} />
      ) : (
        <Fact label={words.instanceId} value={words.unknown} />
      )}
    </>
  );
}

const Fact = ({ label, value }: { label: string; value: string }) => (
  <SidePanel.Field>
    <dl className="fact">
      <dt>
        <Text size="small" secondary>
          {label}
        </Text>
      </dt>
      <dd>
        <Text size="small">{value}</Text>
      </dd>
    </dl>
  </SidePanel.Field>
);

function planName(plan: Instance["plan"], words: Messages["about"]): string {
  if (!plan) {
    return words.unknown;
  }
  return plan.isFree ? words.free : plan.name;
}

function InstanceId({ value }: { value: string }) {
  const { about: words } = useMessages();
  const field = useRef<HTMLDivElement>(null);
  const [result, setResult] = useState<"copied" | "copyFailed" | null>(null);

  const copy = async () => {
    const input = field.current?.querySelector("input");
    if (input) {
      setResult((await copyFrom(input)) ? "copied" : "copyFailed");
    }
  };

  return (
    <SidePanel.Field>
      <FormField
        label={words.instanceId}
        id="instance-id"
        statusMessage={<span role="status">{result && words[result]}</span>}
      >
        <div ref={field} className="with-button instance-id">
          <Input id="instance-id" size="small" value={value} readOnly textOverflow="ellipsis" />
          <IconButton
            size="small"
            priority="secondary"
            ariaLabel={words.copy}
            onClick={() => void copy()}
          >
            {result === "copied" ? <Check /> : <Duplicate />}
          </IconButton>
        </div>
      </FormField>
    </SidePanel.Field>
  );
}
