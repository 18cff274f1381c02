// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_COLUMNS, NAME } from "./columns.ts";
import { type FieldError, fieldInvalid, fieldRequired } from "./failure.ts";
import { age } from "./age.ts";
import { jsonPath } from "./json-path.ts";
import { validateDnsLabel } from "./meta-validation.ts";
import { type ApiObject, at, field, isJsonObject, type JsonObject, listAt, numberAt, shown, textAt } from "./object.ts";
import { setDefaults } from "./pod-defaults.ts";
import { apiVersionOf, collectionOf, type Column, type ResourceType, type ResourceVersion } from "./resource-type.ts";
import type { Schema } from "./schema.ts";
import { checkRootSchema } from "./schema-shape.ts";

/** Defaults and the status that a cluster's controllers would write: here a definition is established at once. */
export function prepareCrd(crd: ApiObject): void {
  const { spec } = crd;
  if (!isJsonObject(spec)) return;
  const names = field(spec, "names");
  setDefaults(spec, { conversion: { strategy: "None" } });
  if (isJsonObject(names)) {
    const kind = textAt(names, "kind") ?? "";
    setDefaults(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
  }
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    type,
    status: "True",
    lastTransitionTime: now,
    reason,
    message,
  });
  crd.status = {
    conditions: [
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ],
    acceptedNames: names,
    storedVersions: listAt(spec, "versions")
      .filter(({ storage }) => storage === true)
      .map(({ name }) => name),
  };
}

export function prepareCrdUpdate(crd: ApiObject, old: ApiObject): void {
  prepareCrd(crd);
  const stored = new Set([
    ...listOf(at(old, "status", "storedVersions")),
    ...listOf(at(crd, "status", "storedVersions")),
  ]);
  crd.status = {
    ...(isJsonObject(old.status) ? old.status : {}),
    acceptedNames: at(crd, "spec", "names"),
    storedVersions: [...stored],
  };
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textsOf = (value: unknown): string[] => listOf(value).filter((one) => typeof one === "string");

export function validateCrd(crd: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const [group, plural] = [textAt(crd, "spec", "group"), textAt(crd, "spec", "names", "plural")];
  for (const [path, value] of [
    ["spec.group", group],
    ["spec.names.plural", plural],
    ["spec.names.kind", textAt(crd, "spec", "names", "kind")],
  ] as const) {
    if (!value) errors.push(fieldRequired(path));
  }
  if (crd.metadata.name !== `${plural}.${group}`) {
    errors.push(fieldInvalid("metadata.name", crd.metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  const scope = at(crd, "spec", "scope");
  if (scope !== "Cluster" && scope !== "Namespaced") {
    errors.push({
      field: "spec.scope",
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${JSON.stringify(scope ?? "")}: supported values: "Cluster", "Namespaced"`,
    });
  }
  const versions = listAt(crd, "spec", "versions");
  if (versions.filter(({ storage }) => storage === true).length !== 1) {
    errors.push(
      fieldInvalid(
        "spec.versions",
        versions.map(({ name }) => name),
        "must have exactly one version marked as storage version",
      ),
    );
  }
  versions.forEach((version, index) => {
    errors.push(...validateDnsLabel(`spec.versions[${index}].name`, version.name));
    errors.push(
      ...checkRootSchema(at(version, "schema", "openAPIV3Schema"), `spec.versions[${index}].schema.openAPIV3Schema`),
    );
  });
  if (
    at(crd, "spec", "conversion", "strategy") === "Webhook" &&
    !isJsonObject(at(crd, "spec", "conversion", "webhook", "clientConfig"))
  ) {
    errors.push(fieldRequired("spec.conversion.webhook.clientConfig", "required when strategy is set to Webhook"));
  }
  return errors;
}

/** The kind that a definition describes. */
export function customType(crd: ApiObject): ResourceType {
  const names = field(crd.spec, "names");
  const text = (name: string): string => textAt(names, name) ?? "";
  const versions = listAt(crd, "spec", "versions");
  const served = versions
    .filter((version) => version.served === true)
    .map(customVersion)
    .sort((a, b) => priority(b.name) - priority(a.name));
  const group = textAt(crd, "spec", "group") ?? "";
  const stored =
    textAt(
      versions.find(({ storage }) => storage === true),
      "name",
    ) ?? "";
  return {
    group,
    plural: text("plural"),
    singular: text("singular"),
    kind: text("kind"),
    listKind: text("listKind"),
    shortNames: textsOf(field(names, "shortNames")),
    categories: textsOf(field(names, "categories")),
    namespaced: at(crd, "spec", "scope") === "Namespaced",
    versions: served,
    storage: { collection: collectionOf({ group, plural: text("plural") }), apiVersion: apiVersionOf(group, stored) },
    custom: true,
    generation: true,
    unconditionalUpdate: false,
    selectable: versions.flatMap((version) =>
      listAt(version, "selectableFields").map((one) => shown(one.jsonPath).replace(/^\./, "")),
    ),
    subresources: [],
  };
}

function customVersion(version: JsonObject): ResourceVersion {
  const columns = listAt(version, "additionalPrinterColumns").map((column): Column => {
    const path = textAt(column, "jsonPath") ?? "";
    const type = textAt(column, "type") ?? "string";
    return {
      name: shown(column.name),
      type,
      priority: numberAt(column, "priority"),
      value: (object, now) => (type === "date" ? age(jsonPath(object, path), now) : (jsonPath(object, path) ?? null)),
    };
  });
  const warning =
    version.deprecated === true ? (textAt(version, "deprecationWarning") ?? "this version is deprecated") : undefined;
  return {
    name: shown(version.name),
    columns: columns.length > 0 ? [NAME, ...columns] : DEFAULT_COLUMNS,
    status: isJsonObject(at(version, "subresources", "status")),
    schema: at(version, "schema", "openAPIV3Schema") as Schema,
    ...(warning === undefined ? {} : { deprecationWarning: warning }),
  };
}

/** Kubernetes' order of versions: stable over beta over alpha, then the higher number. */
function priority(version: string): number {
  const [, major, stage, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
  if (major === undefined) return 0;
  const rank = stage === undefined ? 3 : stage === "beta" ? 2 : 1;
  return rank * 1e6 + Number(major) * 1e3 + Number(minor ?? 0);
}
