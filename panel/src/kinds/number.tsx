// A number, with a slider where both limits are declared.
import { Input, Text } from "@wix/design-system";
import { useState } from "react";
import type { Wrong } from "../wrong";
import type { ControlProps, Declared, Field } from "./kind";

interface NumberSpec extends Declared {
  fallback: number;
  min?: number;
  max?: number;
  step?: number;
  /** Whether it must be a whole number. */
  whole?: boolean;
  unit?: string;
}

/** The value is NaN while what is typed is not a number. */
export function number<const N extends string>(name: N, spec: NumberSpec): Field<N, number> {
  const { fallback, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec;
  const unit = spec.unit ? ` ${spec.unit}` : "";
  return {
    ...spec,
    name,
    parse(raw) {
      const given = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
      return typeof given === "number" && Number.isFinite(given)
        ? Math.min(Math.max(given, min), max)
        : fallback;
    },
    format: String,
    clean: (value) => value,
    check: (value) => numberFault(value, min, max, spec),
    show: (value) => `${value}${unit}`,
    Control: (props) => <NumberControl {...props} spec={spec} />,
  };
}

/** The server's rule. */
function numberFault(
  value: number,
  min: number,
  max: number,
  { whole, step }: NumberSpec,
): Wrong | null {
  if (!Number.isFinite(value)) {
    return { reason: "number" };
  }
  if (whole && !Number.isInteger(value)) {
    return { reason: "whole" };
  }
  if (value < min) {
    return { reason: "least", limit: min };
  }
  if (value > max) {
    return { reason: "most", limit: max };
  }
  const from = Number.isFinite(min) ? min : 0;
  const steps = step ? (value - from) / step : 0;
  if (!step || Math.abs(steps - Math.round(steps)) < 1e-6) {
    return null;
  }
  return from % step === 0
    ? { reason: "multiple", limit: step }
    : { reason: "steps", limit: step, from };
}

function NumberControl({
  id,
  labelId,
  value,
  wrong,
  type,
  flush,
  spec: { min, max, step, whole, unit },
}: ControlProps<number> & { spec: NumberSpec }) {
  // What is typed is not always a number yet.
  const [typed, setTyped] = useState("");
  const text = Object.is(value, toNumber(typed)) ? typed : String(value);
  const ends = min !== undefined && max !== undefined;
  const steps = step ?? (whole ? 1 : ends ? (max - min) / 100 : undefined);
  const take = (next: string) => {
    setTyped(next);
    type(toNumber(next));
  };
  return (
    <div className={ends ? "slider" : undefined}>
      {ends && (
        <input
          type="range"
          aria-labelledby={labelId}
          min={min}
          max={max}
          step={steps}
          value={Number.isFinite(value) ? value : min}
          onChange={(event) => take(event.target.value)}
          onPointerUp={flush}
          onBlur={flush}
        />
      )}
      <Input
        id={id}
        size="small"
        type="number"
        min={min}
        max={max}
        step={steps ?? ("any" as unknown as number)}
        value={text}
        suffix={unit && <Unit>{unit}</Unit>}
        status={wrong ? "error" : undefined}
        hideStatusSuffix
        autocomplete="off"
        onChange={(event) => take(event.target.value)}
        onBlur={flush}
        onEnterPressed={flush}
      />
    </div>
  );
}

const Unit = ({ children }: { children: string }) => (
  <Input.Affix>
    <Text size="small" secondary>
      {children}
    </Text>
  </Input.Affix>
);

const toNumber = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
