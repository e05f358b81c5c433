// Writes x.br and x.gz beside every compressible file x of the given folders, which the
// server sends as they are. Removes those of an older build. Creates .gitkeep again, which
// Vite deletes, and without which Go cannot embed the folder before a build.
//
//   node scripts/precompress.mjs DIR…

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";

const compressible = new Set(
  ".css .html .ico .js .json .map .mjs .svg .txt .webmanifest .xml".split(" "),
);
const smallest = 200; // bytes; compressing smaller files saves nothing

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/** The encodings. Their output is the same on every machine. */
const encodings = {
  ".br": (body) => brotli(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }),
  ".gz": (body) => gzip(body, { level: 9 }),
};

export async function precompress(dir) {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, ".gitkeep"), "");
  const files = (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  await Promise.all(files.filter((file) => extname(file) in encodings).map((file) => rm(file)));
  for (const file of files.filter((file) => compressible.has(extname(file)))) {
    const body = await readFile(file);
    if (body.length < smallest) {
      continue;
    }
    for (const [suffix, encode] of Object.entries(encodings)) {
      const packed = await encode(body);
      if (packed.length < body.length) {
        await writeFile(file + suffix, packed);
      }
    }
  }
}

if (import.meta.filename === process.argv[1]) {
  const dirs = process.argv.slice(2);
  if (dirs.length === 0) {
    console.error("precompress: name the folders: node scripts/precompress.mjs DIR…");
    process.exit(2);
  }
  for (const dir of dirs) {
    await precompress(dir);
  }
}
