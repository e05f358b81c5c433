// A line of text.
import { Input } from "@wix/design-system";
import { fromWire, toWire } from "../transport";
import type { Wrong } from "../wrong";
import type { Declared, Field } from "./kind";

interface TextSpec extends Declared {
  fallback: string;
  min?: number;
  max?: number;
}

/** Text without a max may have this many characters. */
const MOST = 10_000;

export function text<const N extends string>(name: N, spec: TextSpec): Field<N, string> {
  const { attribute, fallback, min = 0, max = MOST } = spec;
  return {
    ...spec,
    name,
    // A widget whose text is empty shows the default.
    ...(attribute && { placeholder: spec.placeholder ?? { en: fallback } }),
    parse: (raw) => (typeof raw === "string" ? fromWire(raw) : attribute ? "" : fallback),
    format: toWire,
    clean: (value) => value.trim(),
    check: (value) => textFault(value, attribute ? 0 : min, max),
    left: (value) => max - lengthOf(value),
    show: (value) => value,
    Control: ({ id, value, placeholder, wrong, type, flush }) => (
      <Input
        id={id}
        size="small"
        value={value}
        placeholder={placeholder}
        status={wrong ? "error" : undefined}
        hideStatusSuffix
        autocomplete="off"
        onChange={(event) => type(event.target.value)}
        onBlur={flush}
        onEnterPressed={flush}
      />
    ),
  };
}

/** The server's rule: it counts code points, without the spaces at both ends. */
export function textFault(value: string, min: number, max: number): Wrong | null {
  const length = lengthOf(value);
  if (length === 0 && min > 0) {
    return { reason: "empty" };
  }
  if (length < min) {
    return { reason: "short", limit: min };
  }
  if (length > max) {
    return { reason: "long", limit: max };
  }
  if (/[\p{Surrogate}\uFFFD]/u.test(value)) {
    return { reason: "unicode" };
  }
  return CONTROLS.test(value.trim().replace(SUBDIVISION_FLAGS, "")) ? { reason: "control" } : null;
}

/** Control characters, line breaks, overrides of the direction, and tag characters, which hide text. */
const CONTROLS = /[\p{Cc}\u2028-\u202E\u2066-\u2069\u{E0000}-\u{E007F}]/u;
/** Emoji such as Scotland's flag, the one use of tag characters. */
const SUBDIVISION_FLAGS = /\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{3,6}\u{E007F}/gu;

const lengthOf = (value: string) => [...value.trim()].length;
