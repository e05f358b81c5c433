// A notice about a failed request, with the action that fits it.
import { useEffect, useState } from "react";
import type { Fault } from "../fault";
import { kindOf } from "../fault";
import { useMessages } from "./context";
import { NoticeBox } from "./NoticeBox";

/** title is put before the fault's own title. retry is absent when a retry makes no sense. */
export function FaultBox({
  fault,
  title,
  retry,
}: {
  fault: Fault;
  title?: string;
  retry?: () => void;
}) {
  const messages = useMessages();
  const kind = kindOf(fault);
  const wait = useSecondsUntil(fault.details.retryAt);
  const { requestId, sentence } = fault.details;
  const notice = messages.faults[kind];
  const body = kind === "app" && sentence ? sentence : notice.body;
  const traceable = ["server", "store", "setup", "app"].includes(kind);

  // Retries when the browser reports that the network is back.
  useEffect(() => {
    if (kind !== "offline" || !retry) {
      return;
    }
    window.addEventListener("online", retry, { once: true });
    return () => window.removeEventListener("online", retry);
  }, [kind, retry]);

  const action = () => {
    switch (kind) {
      case "expired":
        return { label: messages.reload, run: () => window.location.reload() };
      case "foreign":
      case "owner":
      case "instance":
        return undefined;
      default:
        return retry && wait > 0
          ? { label: messages.tryAgainIn(wait) }
          : retry && { label: messages.tryAgain, run: retry };
    }
  };

  return (
    <NoticeBox
      notice={{ title: title ? `${title}: ${notice.title}` : notice.title, body }}
      note={traceable && requestId ? messages.reference(requestId) : undefined}
      action={action()}
    />
  );
}

/** Counts the seconds down to a time in milliseconds since 1970; 0 once it has passed, or when there is none. */
function useSecondsUntil(at: number | undefined): number {
  const left = () => (at === undefined ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  // biome-ignore lint/correctness/useExhaustiveDependencies: left is made of at alone
  useEffect(() => {
    setSeconds(left());
    if (left() === 0) {
      return;
    }
    const timer = setInterval(() => {
      setSeconds(left());
      if (left() === 0) {
        clearInterval(timer);
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [at]);
  return seconds;
}
