// @vitest-environment node
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { split, textFile, writeTexts } from "./templates.mjs";

const web = join(import.meta.dirname, "../../web");
const code = (text: string, name = "d.Name", line = 7) => `
	templ_7745c5c3_Err = templruntime.WriteString(templ_7745c5c3_Buffer, 1, "<p class=\\"a\\">${text}")
	if err != nil {
		return templ.Error{Err: templ_7745c5c3_Err, FileName: \`a.templ\`, Line: ${line}, Col: 12}
	}
	_, err = templ_7745c5c3_Buffer.WriteString(templ.EscapeString(${name}))
	templ_7745c5c3_Err = templruntime.WriteString(templ_7745c5c3_Buffer, 2, "</p>\\n")
`;

describe("split", () => {
  test("the texts are in order, as Go spells them", () => {
    expect(split(code("Hi")).texts).toEqual(['<p class=\\"a\\">Hi', "</p>\\n"]);
  });
  test("another text at another line leaves the structure", () => {
    expect(split(code("Hello", "d.Name", 9)).structure).toBe(split(code("Hi")).structure);
  });
  test("another expression does not", () => {
    expect(split(code("Hi", "d.ID")).structure).not.toBe(split(code("Hi")).structure);
  });
  test("every text of the repository's templates is found", () => {
    for (const name of readdirSync(web).filter((file) => file.endsWith("_templ.go"))) {
      const generated = readFileSync(join(web, name), "utf8");
      const { texts } = split(generated);
      expect(texts.length, name).toBe(generated.split("templruntime.WriteString(").length - 1);
      expect(texts.includes(undefined), name).toBe(false);
    }
  });
});

describe("writeTexts", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "dev-"));
    cpSync(join(web, "site_templ.go"), join(dir, "site_templ.go"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const change = (from: string, to: string) => {
    const file = join(dir, "site_templ.go");
    const before = readFileSync(file, "utf8");
    expect(before).toContain(from);
    writeFileSync(file, before.replace(from, to));
  };

  test("a new text is in the folder that programs read already", () => {
    const folder = writeTexts(dir, join(dir, "texts"));
    change("<!doctype html>", "<!doctype html><!-- new -->");
    expect(writeTexts(dir, join(dir, "texts"))).toBe(folder);
    const [file = ""] = readdirSync(folder);
    expect(readFileSync(join(folder, file), "utf8")).toContain("<!-- new -->");
  });
  test("a new structure has a folder of its own, and the old one keeps its texts", () => {
    const folder = writeTexts(dir, join(dir, "texts"));
    const [file = ""] = readdirSync(folder);
    const before = readFileSync(join(folder, file), "utf8");
    change("d.Language", "d.Tag");
    change("<!doctype html>", "<!doctype html><!-- new -->");
    expect(writeTexts(dir, join(dir, "texts"))).not.toBe(folder);
    expect(readFileSync(join(folder, file), "utf8")).toBe(before);
  });
  test("templ finds a file by the hash of the template's path", () => {
    expect(textFile("/app/web/a.templ")).toMatch(/^templ_[0-9a-f]{64}\.txt$/);
  });
});
