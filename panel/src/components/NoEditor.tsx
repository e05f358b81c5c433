// Shown when no Wix editor answers.
import { Heading, Text, TextButton } from "@wix/design-system";
import { useMessages } from "./context";

export function NoEditor({ reload = false }: { reload?: boolean }) {
  const { noEditor, reload: label } = useMessages();
  return (
    <div role="status" className="lonely">
      <Heading as="h2" size="small">
        {noEditor.title}
      </Heading>
      <Text size="small" secondary>
        {noEditor.body}
      </Text>
      {reload && (
        <TextButton size="small" onClick={() => window.location.reload()}>
          {label}
        </TextButton>
      )}
    </div>
  );
}
