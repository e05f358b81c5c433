// Texts that the app declares, by language.

/** `en` is the text for every language that is not here. */
export type Words<T = string> = { en: T } & { [language: string]: T };

/** The text for a language code such as "de" or "pt-BR", and the language that it is in. */
export function choose<T>(words: Words<T>, language: string): { text: T; language: string } {
  const wanted = language.toLowerCase().replaceAll("_", "-");
  const primary = wanted.split("-")[0];
  const has = (code: string | undefined) =>
    Object.keys(words).find((key) => key.toLowerCase() === code);
  const found = has(wanted) ?? has(primary) ?? "en";
  return { text: words[found] ?? words.en, language: found };
}
