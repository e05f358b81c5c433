// Resets the widget to its defaults, after a confirmation.
import { SectionHelper, SidePanel, TextButton } from "@wix/design-system";
import { useEffect, useRef, useState } from "react";
import { useMessages, usePanel } from "./context";

export function ResetField() {
  const { widget: words, cancel } = useMessages();
  const { widget } = usePanel();
  const [asking, setAsking] = useState(false);
  const [done, setDone] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const asked = useRef(false);

  // The question replaces the button; the focus moves to it and back.
  useEffect(() => {
    if (asking || asked.current) {
      box.current?.querySelector("button")?.focus();
      box.current?.scrollIntoView({ block: "nearest" });
    }
    asked.current = asking;
  }, [asking]);

  const ask = () => {
    setDone("");
    setAsking(true);
  };
  const reset = () => {
    widget.reset();
    setAsking(false);
    setDone(words.resetDone);
  };

  return (
    <SidePanel.Field>
      <div ref={box}>
        {asking ? (
          <SectionHelper
            skin="warning"
            size="small"
            fullWidth
            title={words.resetQuestion.title}
            actionText={words.resetConfirm}
            onAction={reset}
            secondaryActionProps={{ label: cancel, onClick: () => setAsking(false) }}
          >
            {words.resetQuestion.body}
          </SectionHelper>
        ) : (
          <TextButton size="small" className="target" onClick={ask}>
            {words.reset}
          </TextButton>
        )}
        <span role="status" className="unseen">
          {done}
        </span>
      </div>
    </SidePanel.Field>
  );
}
