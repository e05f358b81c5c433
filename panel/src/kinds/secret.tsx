// A secret, such as the key of another service. It is stored and never read back: the panel knows whether one is set.
import { Button, Input, Text } from "@wix/design-system";
import { useEffect, useRef, useState } from "react";
import { useMessages } from "../components/context";
import type { ControlProps, Declared, Field } from "./kind";
import { textFault } from "./text";

interface SecretSpec extends Declared {
  min?: number;
  max?: number;
}

/** A secret without a max may have this many characters. */
const MOST = 10_000;

/** Whether one is set, or a text that is to be stored: "" removes the secret. */
type Secret = boolean | string;

export function secret<const N extends string>(name: N, spec: SecretSpec): Field<N, Secret> {
  return {
    ...spec,
    name,
    undo: false,
    parse: (raw) => raw === true,
    format: () => "",
    clean: (value) => (typeof value === "string" ? value.trim() : value),
    check: (value) =>
      typeof value === "string" && value !== ""
        ? textFault(value, spec.min ?? 0, spec.max ?? MOST)
        : null,
    show: (value, _, { secret: words }) =>
      value === true || (value !== false && value !== "") ? words.set : words.notSet,
    Control: SecretControl,
  };
}

function SecretControl({
  id,
  label,
  value,
  stored: known,
  wrong,
  set,
  flush,
}: ControlProps<Secret>) {
  const { secret: words, cancel } = useMessages();
  const [draft, setDraft] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const stored = value === true;
  const open = draft !== null || wrong;
  const shape = `${open} ${removing} ${stored}`;
  const before = useRef(shape);

  // Each step replaces the one before; the focus goes along.
  useEffect(() => {
    if (before.current !== shape) {
      box.current?.querySelector<HTMLElement>("input, button")?.focus();
    }
    before.current = shape;
  }, [shape]);

  const close = () => {
    setDraft(null);
    // Drops a text that the server has refused.
    set(known);
  };
  const save = () => {
    if (draft?.trim()) {
      set(draft);
      flush();
      setDraft(null);
    }
  };
  const remove = () => {
    set("");
    flush();
    setRemoving(false);
  };
  const named = (text: string) => `${text}: ${label}`;

  return (
    <div ref={box} className="steps">
      {open && (
        <>
          <Input
            id={id}
            size="small"
            type="password"
            value={draft ?? (typeof value === "string" ? value : "")}
            status={wrong ? "error" : undefined}
            hideStatusSuffix
            autocomplete="new-password"
            onChange={(event) => setDraft(event.target.value)}
            onEnterPressed={(event) => {
              event.preventDefault(); // it would press the button that gets the focus
              save();
            }}
            onEscapePressed={close}
          />
          <Button
            size="tiny"
            disabled={!draft?.trim()}
            aria-label={named(words.save)}
            onClick={save}
          >
            {words.save}
          </Button>
          <Button size="tiny" priority="secondary" onClick={close}>
            {cancel}
          </Button>
        </>
      )}
      {!open && removing && (
        <>
          <Text size="small">{words.removeQuestion}</Text>
          <Button size="tiny" skin="destructive" aria-label={named(words.remove)} onClick={remove}>
            {words.remove}
          </Button>
          <Button size="tiny" priority="secondary" onClick={() => setRemoving(false)}>
            {cancel}
          </Button>
        </>
      )}
      {!open && !removing && (
        <>
          <Text size="small">{stored ? words.set : words.notSet}</Text>
          <Button
            id={id}
            size="tiny"
            priority="secondary"
            aria-label={named(stored ? words.replace : words.enter)}
            onClick={() => setDraft("")}
          >
            {stored ? words.replace : words.enter}
          </Button>
          {stored && (
            <Button
              size="tiny"
              priority="secondary"
              skin="destructive"
              aria-label={named(words.remove)}
              onClick={() => setRemoving(true)}
            >
              {words.remove}
            </Button>
          )}
        </>
      )}
    </div>
  );
}
