import { expect, test } from "vitest";
import { Feed } from "./feed";

const ids = (feed: Feed<{ id: number }>) => feed.items.map(({ id }) => id);
const of = (...list: number[]) => list.map((id) => ({ id }));

/** A read that ends when it is answered. */
function read<T>() {
  let answer!: (items: T[]) => void;
  let fail!: (error: Error) => void;
  const items = new Promise<T[]>((resolve, reject) => {
    answer = resolve;
    fail = reject;
  });
  return { read: () => items, answer, fail };
}

test("items are in the order of their ids, the newest first, and each is there once", () => {
  const feed = new Feed(10);
  for (const id of [2, 5, 3, 5, 1]) {
    feed.add({ id });
  }
  expect(ids(feed)).toEqual([5, 3, 2, 1]);
});

test("the oldest are dropped", async () => {
  const feed = new Feed(3);
  for (const id of [1, 2, 3, 4, 0]) {
    feed.add({ id });
  }
  expect(ids(feed)).toEqual([4, 3, 2]);
  await feed.load(async () => of(1, 2, 3, 4, 5));
  expect(ids(feed)).toEqual([5, 4, 3]);
});

test("of two states of an item the later one stays", () => {
  const feed = new Feed<{ id: number; tries: number }>(10, (a, b) => (a.tries > b.tries ? a : b));
  feed.add({ id: 1, tries: 2 });
  feed.add({ id: 1, tries: 1 });
  expect(feed.items).toEqual([{ id: 1, tries: 2 }]);
  feed.add({ id: 1, tries: 3 });
  expect(feed.items).toEqual([{ id: 1, tries: 3 }]);
});

test("what was there before is replaced, and what arrives within a read is added", async () => {
  const feed = new Feed(10);
  feed.add({ id: 90 });
  const { read: items, answer } = read<{ id: number }>();
  const loaded = feed.load(items);
  feed.add({ id: 3 });
  answer(of(1, 2));
  expect(await loaded).toBe(true);
  expect(ids(feed)).toEqual([3, 2, 1]);
});

test("of two reads the later one counts, whichever ends first", async () => {
  const feed = new Feed(10);
  const first = read<{ id: number }>();
  const second = read<{ id: number }>();
  const loads = [feed.load(first.read), feed.load(second.read)];
  second.answer(of(7));
  first.answer(of(1));
  expect(await Promise.all(loads)).toEqual([false, true]);
  expect(ids(feed)).toEqual([7]);
});

test("a list that was emptied does not come back with a read from before", async () => {
  const feed = new Feed(10);
  const { read: items, answer } = read<{ id: number }>();
  const loaded = feed.load(items);
  feed.clear();
  answer(of(1));
  expect(await loaded).toBe(false);
  expect(ids(feed)).toEqual([]);
});

test("a read that fails leaves the list as it is", async () => {
  const feed = new Feed(10);
  feed.add({ id: 1 });
  const { read: items, fail } = read<{ id: number }>();
  const loaded = feed.load(items);
  feed.add({ id: 2 });
  fail(new Error("away"));
  await expect(loaded).rejects.toThrow("away");
  expect(ids(feed)).toEqual([2, 1]);
});
