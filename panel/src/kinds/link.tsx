// The address of a page, of a mailbox or of a telephone, typed or chosen in the editor's own picker.
import { IconButton, Input } from "@wix/design-system";
import { Link } from "@wix/wix-ui-icons-common";
import { useRef } from "react";
import { useMessages, usePanel } from "../components/context";
import { returnFocus } from "../focus";
import { fromWire, toWire } from "../transport";
import type { ControlProps, Declared, Field } from "./kind";
import { textFault } from "./text";

interface LinkSpec extends Declared {
  fallback?: string;
  min?: number;
  max?: number;
}

/** A link without a max may have this many characters. */
const MOST = 2048;

export function link<const N extends string>(name: N, spec: LinkSpec): Field<N, string> {
  const { fallback = "", min = 0, max = MOST } = spec;
  return {
    ...spec,
    name,
    parse: (raw) => (typeof raw === "string" ? fromWire(raw) : fallback),
    format: toWire,
    clean: (value) => value.trim(),
    check: (value) =>
      textFault(value, min, max) ??
      (value.trim() === "" || isLink(value) ? null : { reason: "link" }),
    show: (value) => value,
    Control: LinkControl,
  };
}

function LinkControl({ id, label, value, wrong, set, type, flush }: ControlProps<string>) {
  const { editor } = usePanel();
  const { chooseLink } = useMessages();
  const box = useRef<HTMLDivElement>(null);
  const choose = async () => {
    try {
      const chosen = addressOf(await editor.inputs.selectLink(isLink(value) ? value : undefined));
      if (chosen) {
        set(chosen);
      }
    } catch {
      // The picker was closed, or the editor has none: the link stays.
    }
    flush();
    returnFocus(box.current);
  };
  return (
    <div className="with-button" ref={box}>
      <Input
        id={id}
        size="small"
        type="url"
        value={value}
        placeholder="https://"
        status={wrong ? "error" : undefined}
        hideStatusSuffix
        autocomplete="off"
        onChange={(event) => type(event.target.value)}
        onBlur={flush}
        onEnterPressed={flush}
      />
      <IconButton
        size="small"
        priority="secondary"
        ariaLabel={`${label}: ${chooseLink}`}
        onClick={() => void choose()}
      >
        <Link />
      </IconButton>
    </div>
  );
}

/** The server's rule. */
export function isLink(value: string): boolean {
  const text = value.trim();
  return /^(https?:\/\/[^/?#]|(mailto|tel):.)[^\s\\<>"]*$/i.test(text) && URL.canParse(text);
}

/** The address in the link that the editor's picker returns, or "". Links to pages of the site have none. */
export function addressOf(chosen: unknown): string {
  const { type, url, recipient, phoneNumber } = (chosen ?? {}) as Record<string, unknown>;
  switch (type) {
    case "EmailLink":
      return `mailto:${recipient}`;
    case "PhoneLink":
      return `tel:${phoneNumber}`;
    default:
      return typeof url === "string" && isLink(url) ? url : "";
  }
}
