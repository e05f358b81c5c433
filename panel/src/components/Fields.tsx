// The fields of one scope, in the groups that the app declares.
import { SidePanel } from "@wix/design-system";
import type { ReactNode } from "react";
import { tabbed } from "../fields";
import type { Field } from "../kinds/kind";
import type { Words } from "../words";
import { useLanguageOf, useSay } from "./context";

/** Fields with the same group stand together, in the place of the first; those without one come first. A group's title may be translated at any of its fields. */
export function groupsOf(fields: readonly Field[]): { title?: Words; fields: Field[] }[] {
  const groups = new Map<string, { title?: Words; fields: Field[] }>([["", { fields: [] }]]);
  for (const field of fields) {
    const key = field.group?.en ?? "";
    const group = groups.get(key);
    if (group) {
      group.title = field.group && { ...group.title, ...field.group };
      group.fields.push(field);
    } else {
      groups.set(key, { title: field.group, fields: [field] });
    }
  }
  return [...groups.values()].filter((group) => group.fields.length > 0);
}

export function Fields({
  fields,
  children: row,
}: {
  fields: readonly Field[];
  children: (field: Field) => ReactNode;
}) {
  return groupsOf(fields).map(({ title, fields }) =>
    title ? (
      <Group key={title.en} title={title}>
        {fields.map(row)}
      </Group>
    ) : (
      fields.map(row)
    ),
  );
}

function Group({ title, children }: { title: Words; children: ReactNode }) {
  const text = useSay()(title);
  const language = useLanguageOf()(title);
  return (
    <SidePanel.Section
      title={language ? <span lang={language}>{text}</span> : text}
      ariaLabel={text}
      as={tabbed ? "h2" : "h3"}
    >
      {children}
    </SidePanel.Section>
  );
}
