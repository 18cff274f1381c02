// SPDX-License-Identifier: Apache-2.0
import { BEHAVIOURS } from "./behaviours.ts";
import { DIFFERENCES } from "./differences.ts";
import { fieldRows } from "./fields.ts";
import { keyRows } from "./keys.ts";
import { table } from "./row.ts";

/** docs/compatibility.md */
export function compatibilityDocument(): string {
  const differences = DIFFERENCES.map(([id, ...cells]) => `| ${[...cells, `\`${id}\``].join(" | ")} |`);
  return `<!-- Generated from test/conformance/compatibility; \`vitest run --project conformance -u\` writes it. -->

# Compatibility with OpenKruise

A cluster moves over and back without touching a pod: API group \`apps.kruise.io\`, both versions, all fields, annotations, labels, environment variables, both hashes and the shapes of their JSON are Kruise's (v1.9). Pods that Kruise injected are recognised and upgraded, and an upgrade that Kruise has begun is adopted and finished.

\`pnpm conformance [DIR]\` runs the corpora of recorded Kruise behaviour. Hashes must be equal without exception, because a hash that differs makes every pod look outdated. Where a case shows one of the differences below, it is checked that we do what the table says; the run names the row.

## What we do otherwise, on purpose

| situation | Kruise | here | row |
|---|---|---|---|
${differences.join("\n")}

## Behaviours

${table("behaviour", BEHAVIOURS)}

## Annotations, labels, environment variables, conditions

${table("key", keyRows())}

## Fields

\`initContainers[]\` has the fields of \`containers[]\`. "better" says what is refused, warned of or repaired here; a field that is "same" means exactly what it means to Kruise. The members of \`metadata\`, of label selectors and of conditions are Kubernetes' own.

${table("field", fieldRows())}
`;
}
