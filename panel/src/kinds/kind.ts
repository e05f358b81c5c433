// What the kinds of settings have in common. A kind is a module of this folder with a function of the same name, which
// makes a Field of a declaration; one that settings.gen.ts does not import is not in the bundle.
import type { ReactNode } from "react";
import type { Messages } from "../messages";
import type { Words } from "../words";
import type { Wrong } from "../wrong";

/** What every declaration may say. A setting with an attribute belongs to one widget, one without to the site. */
export interface Declared {
  attribute?: string;
  /** The color setting that this one stands on. */
  on?: string;
  placeholder?: Words;
  help?: Words;
  label: Words;
  group?: Words;
}

export interface Field<N extends string = string, V = unknown> extends Declared {
  readonly name: N;
  /** The choices, where there are any. */
  of?: readonly { value: V; label: Words }[];
  /** Whether the control stands beside its label, not below. */
  beside?: boolean;
  /** Reads an attribute's text, a stored value, or whatever else is there. What cannot be used gives the default. */
  parse(raw: unknown): V;
  /** The attribute's text. */
  format(value: V): string;
  /** The value as the server stores it. */
  clean(value: V): unknown;
  check(value: V): Wrong | null;
  /** False where a former value cannot be brought back. */
  undo?: false;
  /** How many characters are left. */
  left?(value: V): number;
  /** The value in words, where two of them are compared. */
  show(value: V, say: (words: Words) => string, messages: Messages): string;
  Control(props: ControlProps<V>): ReactNode;
}

export interface ControlProps<V> {
  field: Field<string, V>;
  /** For the input, which the label points at. */
  id: string;
  labelId: string;
  /** For a control that says its value itself. */
  label: string;
  placeholder: string;
  value: V;
  /** What the server or the page is known to hold. */
  stored: V;
  wrong: boolean;
  /** Takes a value that is chosen. It is written at once. */
  set(value: V): void;
  /** Takes a value that is being typed. It is written when the typing pauses. */
  type(value: V): void;
  /** Ends the typing. */
  flush(): void;
}

/** Values are compared as JSON, which is what they are stored as. */
export const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
