// SPDX-License-Identifier: Apache-2.0

/** How something compares with Kruise v1.9. `ours`: Kruise has no such thing and ignores it. */
export type Verdict = "same" | "better" | "ours" | "missing";

/** `[name, verdict, what and why]` */
export type Row = readonly [name: string, verdict: Verdict, remark?: string];

export function table(heading: string, rows: readonly Row[]): string {
  const lines = rows.map(([name, verdict, remark = ""]) => `| ${name} | ${verdict} | ${remark} |`);
  return [`| ${heading} | | |`, "|---|---|---|", ...lines].join("\n");
}
