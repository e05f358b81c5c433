// One of several values: side by side where they fit, otherwise in a list.
import { SegmentedToggle } from "@wix/design-system";
import type { SyntheticEvent } from "react";
import { useSay } from "../components/context";
import type { Words } from "../words";
import type { Declared, Field } from "./kind";

interface Choice<V> {
  value: V;
  label: Words;
}

interface ChoiceSpec<V, A> extends Declared {
  fallback: V | A;
  of: readonly Choice<V>[];
  /** Values that pages may hold, and that are no longer offered. */
  also?: readonly A[];
}

export function choice<
  const N extends string,
  const V extends string,
  const A extends string = never,
>(name: N, spec: ChoiceSpec<V, A>): Field<N, V | A> {
  const offered = spec.of.map(({ value }) => value);
  const valid = [...offered, ...(spec.also ?? [])];
  return {
    ...spec,
    name,
    parse: (raw) => valid.find((value) => value === raw) ?? spec.fallback,
    format: (value) => value,
    clean: (value) => value,
    check: (value) => (valid.includes(value) ? null : { reason: "choice" }),
    show: (value, say) => {
      const label = spec.of.find((one) => one.value === value)?.label;
      return label ? say(label) : value;
    },
    Control: ({ id, labelId, value, set }) => {
      const say = useSay();
      const labels = spec.of.map(({ label }) => say(label));
      if (fitsARow(labels)) {
        return (
          <SegmentedToggle
            size="small"
            fullWidth
            ariaLabelledby={labelId}
            selected={value}
            onClick={(_: SyntheticEvent, chosen: string) => set(chosen as V)}
          >
            {offered.map((one, index) => (
              <SegmentedToggle.Button key={one} value={one}>
                {labels[index]}
              </SegmentedToggle.Button>
            ))}
          </SegmentedToggle>
        );
      }
      // The Design System's Dropdown would be a third of the whole panel.
      return (
        <select
          id={id}
          className="select"
          value={value}
          onChange={(event) => set(event.target.value as V)}
        >
          {!offered.includes(value as V) && <option value={value}>{value}</option>}
          {offered.map((one, index) => (
            <option key={one} value={one}>
              {labels[index]}
            </option>
          ))}
        </select>
      );
    },
  };
}

/** Whether the labels fit side by side into the narrowest panel. */
export function fitsARow(labels: string[]): boolean {
  return (
    labels.length <= 3 && Math.max(...labels.map(({ length }) => length)) * labels.length <= 30
  );
}
