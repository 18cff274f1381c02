// SPDX-License-Identifier: Apache-2.0

/** A Markdown table; every row has the same keys, in the same order. */
export function markdown(rows: readonly Readonly<Record<string, string>>[]): string {
  const heads = Object.keys(rows[0] ?? {});
  const width = (head: string): number => Math.max(head.length, ...rows.map((row) => (row[head] ?? "").length));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(width(heads[index] ?? ""))).join(" | ")} |`;
  return [
    line(heads),
    line(heads.map((head) => "-".repeat(width(head)))),
    ...rows.map((row) => line(heads.map((head) => row[head] ?? ""))),
  ].join("\n");
}

/** `1,234`; at most three digits that count, but never less than whole ones. NaN is a dash. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return "–";
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
