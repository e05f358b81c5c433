// Why a value cannot be saved.

/** What is wrong with a value: the server's rules, and what else the server has refused. */
export type Wrong =
  | { reason: "empty" | "control" | "unicode" | "number" | "whole" | "choice" | "link" }
  | { reason: "short" | "long" | "least" | "most" | "multiple"; limit: number }
  | { reason: "steps"; limit: number; from: number }
  | { reason: "refused"; words: string };
