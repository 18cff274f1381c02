// SPDX-License-Identifier: Apache-2.0
import type { ChartValue } from "./values-schema.ts";

const BEGIN = "<!-- values: generated from values.schema.json by tools/chart/generate.ts -->";
const END = "<!-- /values -->";

/** The values as a table of Markdown; a group is a line without a default. */
export function valuesTable(values: readonly ChartValue[]): string {
  const rows = values.map(({ path, description, isGroup, type, default: value }) => {
    const name = `\`${path.join(".")}\``;
    const sentence = type.startsWith("`") ? `${description} One of ${type}.` : description;
    return `| ${name} | ${isGroup ? "" : `\`${JSON.stringify(value)}\``} | ${sentence.replaceAll("|", "\\|")} |`;
  });
  return ["| value | default | what |", "|---|---|---|", ...rows].join("\n");
}

/** The page with the table between its two marks. */
export function withTable(page: string, table: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md: ${BEGIN} and ${END} are not there`);
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}
