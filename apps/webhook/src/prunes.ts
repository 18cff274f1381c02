// SPDX-License-Identifier: Apache-2.0

interface Schema {
  properties?: Record<string, Schema>;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
}

/** What is read of a CustomResourceDefinition. */
export interface Definition {
  spec?: { versions?: { served?: boolean; schema?: { openAPIV3Schema?: Schema } }[] };
}

const PATH = ["spec", "updateStrategy", "hotUpgrade"];

/** Whether the API server drops `spec.updateStrategy.hotUpgrade` in a version that it serves, as with Kruise's definition. */
export function prunesHotUpgrade({ spec }: Definition): boolean {
  return spec?.versions?.some(({ served, schema }) => served === true && prunes(schema?.openAPIV3Schema)) ?? false;
}

function prunes(schema: Schema | undefined): boolean {
  let at = schema;
  for (const name of PATH) {
    const next = at?.properties?.[name];
    if (next === undefined) return at?.["x-kubernetes-preserve-unknown-fields"] !== true;
    at = next;
  }
  return false;
}
