// On or off.
import { ToggleSwitch } from "@wix/design-system";
import type { Declared, Field } from "./kind";

interface ToggleSpec extends Declared {
  fallback: boolean;
}

export function toggle<const N extends string>(name: N, spec: ToggleSpec): Field<N, boolean> {
  return {
    ...spec,
    name,
    beside: true,
    parse(raw) {
      const given = typeof raw === "string" ? raw.trim().toLowerCase() : raw;
      if (given === "" || given === "true" || given === true) {
        return true;
      }
      return given === "false" || given === false ? false : spec.fallback;
    },
    format: String,
    clean: (value) => value,
    check: () => null,
    show: (value, _, messages) => (value ? messages.on : messages.off),
    Control: ({ id, value, set }) => (
      <ToggleSwitch id={id} size="medium" checked={value} onChange={() => set(!value)} />
    ),
  };
}
