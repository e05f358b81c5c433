import { describe, expect, it } from "vitest";
import { choose } from "./words";

describe("a text by language", () => {
  const words = { en: "Color", de: "Farbe", "pt-BR": "Cor" };
  it.each([
    ["de", "Farbe", "de"],
    ["de-CH", "Farbe", "de"],
    ["DE_at", "Farbe", "de"],
    ["pt-br", "Cor", "pt-BR"],
    ["pt-PT", "Color", "en"],
    ["fr", "Color", "en"],
    ["", "Color", "en"],
    ["constructor", "Color", "en"],
  ])("%j gets %s", (code, text, language) => {
    expect(choose(words, code)).toEqual({ text, language });
  });
});
