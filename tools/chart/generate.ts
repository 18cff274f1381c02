// SPDX-License-Identifier: Apache-2.0
// Writes what follows from other sources into charts/hot: the CustomResourceDefinition from @hot/spec, values.yaml and
// the table of values from values.schema.json. With --check it only says what is not up to date.
// Run as `node --conditions=@hot/source tools/chart/generate.ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { crdTemplate } from "./crd-template.ts";
import { valuesFile } from "./values-file.ts";
import { flatten, type ValueSchema } from "./values-schema.ts";
import { valuesTable, withTable } from "./values-table.ts";

const chart = new URL("../../charts/hot/", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, chart), "utf8");

const values = flatten(JSON.parse(read("values.schema.json")) as ValueSchema);
const files: Record<string, string> = {
  "templates/crd.yaml": crdTemplate(),
  "values.yaml": valuesFile(values),
  "README.md": withTable(read("README.md"), valuesTable(values)),
};

const present = (path: string): string | undefined => {
  try {
    return read(path);
  } catch {
    return undefined;
  }
};
const stale = Object.keys(files).filter((path) => present(path) !== files[path]);
if (!process.argv.includes("--check")) {
  for (const path of stale) writeFileSync(new URL(path, chart), files[path] ?? "");
} else if (stale.length > 0) {
  console.log(
    `charts/hot: ${stale.join(", ")} not up to date; run: node --conditions=@hot/source tools/chart/generate.ts`,
  );
  process.exit(1);
}
