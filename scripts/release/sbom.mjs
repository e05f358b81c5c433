// node sbom.mjs GO OUT: the list of what a binary holds, from the one that cyclonedx-gomod has
// made of the Go binary, and the packages of npm that the bundles inside are made from.
// The time and the machine that made it are left out, so that it is the same everywhere.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [goFile, outFile] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

const bom = read(goFile);
const npm = npmBom();
const root = bom.metadata.component;
delete bom.metadata.timestamp;
delete bom.metadata.tools;
bom.components = [...(bom.components ?? []), ...(npm.components ?? [])].sort(by("bom-ref"));
bom.dependencies = [...(bom.dependencies ?? []), ...(npm.dependencies ?? [])].sort(by("ref"));
const npmRoot = bom.dependencies.find((d) => d.ref === npm.metadata.component["bom-ref"]);
const own = bom.dependencies.find((d) => d.ref === root["bom-ref"]);
own.dependsOn = [...(own.dependsOn ?? []), ...(npmRoot?.dependsOn ?? [])].sort();
bom.dependencies = bom.dependencies.filter((d) => d !== npmRoot);
writeFileSync(outFile, `${JSON.stringify(bom, null, 2)}\n`);

function by(name) {
  return (a, b) => (a[name] < b[name] ? -1 : Number(a[name] > b[name]));
}

/** What npm lists from the lock file. It wants a version, which an app has none of. */
function npmBom() {
  const dir = mkdtempSync(join(tmpdir(), "sbom-"));
  try {
    for (const file of ["package-lock.json", ".npmrc"]) {
      copyFileSync(file, join(dir, file));
    }
    writeFileSync(
      join(dir, "package.json"),
      JSON.stringify({ ...read("package.json"), version: "0.0.0" }),
    );
    const arguments_ = ["sbom", "--package-lock-only", "--omit=dev", "--sbom-format=cyclonedx"];
    return JSON.parse(execFileSync("npm", arguments_, { cwd: dir, maxBuffer: 64 << 20 }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
