// Replaces the package "deep-equal" and the twenty that it needs, with which react-popper compares the modifiers of a
// tooltip: plain objects of values that are the same or not.

type Plain = Record<string, unknown>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

export default function equal(one: unknown, other: unknown): boolean {
  if (!isPlain(one) || !isPlain(other)) {
    return Object.is(one, other);
  }
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) =>
    equal(one[key], other[key]),
  );
}
