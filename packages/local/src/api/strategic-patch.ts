// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { badRequest } from "./failure.ts";
import { copy, field, isJsonObject, type JsonObject, setField } from "./object.ts";

/** Lists whose items merge by a key instead of being replaced, by field name. `ports` depends on what has them. */
const MERGE_KEYS: Record<string, string> = {
  addresses: "type",
  conditions: "type",
  containers: "name",
  env: "name",
  ephemeralContainers: "name",
  hostAliases: "ip",
  hostIPs: "ip",
  imagePullSecrets: "name",
  initContainers: "name",
  ownerReferences: "uid",
  podIPs: "ip",
  resourceClaims: "name",
  schedulingGates: "name",
  topologySpreadConstraints: "topologyKey",
  volumeDevices: "devicePath",
  volumeMounts: "mountPath",
  volumes: "name",
  webhooks: "name",
};

/** Lists of plain values that merge as sets. */
const SETS = new Set(["finalizers"]);

const DELETE_FROM = "$deleteFromPrimitiveList/";
const ORDER = "$setElementOrder/";

/**
 * Strategic merge for built-in kinds: a merge patch in which known lists merge by key, with the directives `$patch`,
 * `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`. Neither argument is changed.
 * @param kind `Service` has other ports than a container
 */
export function applyStrategicPatch(document: JsonObject, patch: JsonObject, kind: string): JsonObject {
  return mergeObjects(document, patch, (name) => (name === "ports" && kind === "Service" ? "port" : keyOf(name)));
}

type KeyOf = (field: string) => string | undefined;

const keyOf: KeyOf = (name) => {
  if (name === "ports") return "containerPort";
  return Object.hasOwn(MERGE_KEYS, name) ? MERGE_KEYS[name] : undefined;
};

function mergeObjects(document: JsonObject, patch: JsonObject, keyOf: KeyOf): JsonObject {
  const directive = field(patch, "$patch");
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") throw badRequest(`unknown $patch ${JSON.stringify(directive)}`);
  const result: JsonObject = { ...document };
  retain(result, patch);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(DELETE_FROM)) deleteFrom(result, name.slice(DELETE_FROM.length), value);
    else if (name.startsWith("$")) continue;
    else if (value === null) delete result[name];
    else setField(result, name, mergeField(name, field(result, name), value, keyOf));
  }
  for (const [name, order] of Object.entries(patch)) {
    if (name.startsWith(ORDER)) reorder(result, document, name.slice(ORDER.length), order, keyOf);
  }
  return result;
}

function mergeField(name: string, old: unknown, value: unknown, keyOf: KeyOf): unknown {
  if (isJsonObject(value)) return mergeObjects(isJsonObject(old) ? old : {}, value, keyOf);
  if (!Array.isArray(value)) return value;
  const present = Array.isArray(old) ? old : [];
  const key = keyOf(name);
  if (key !== undefined && value.every(isJsonObject)) return mergeLists(present, value, key, keyOf);
  if (SETS.has(name)) return [...present, ...value.filter((item) => !present.includes(item))];
  return copy(value);
}

function mergeLists(present: unknown[], patch: JsonObject[], key: string, keyOf: KeyOf): unknown[] {
  if (patch.some((item) => field(item, "$patch") === "replace")) {
    return patch.filter((item) => field(item, "$patch") === undefined).map((item) => copy(item));
  }
  const result = [...present];
  for (const item of patch) {
    const id = field(item, key);
    if (id === undefined) throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const index = result.findIndex((candidate) => isDeepStrictEqual(field(candidate, key), id));
    const old = result[index];
    if (field(item, "$patch") === "delete") {
      if (index !== -1) result.splice(index, 1);
    } else if (index === -1) result.push(mergeObjects({}, item, keyOf));
    else result[index] = mergeObjects(isJsonObject(old) ? old : {}, item, keyOf);
  }
  return result;
}

/** `$retainKeys`: what is not listed goes; used for unions such as a volume's source. */
function retain(result: JsonObject, patch: JsonObject): void {
  const keys = field(patch, "$retainKeys");
  if (!Array.isArray(keys)) return;
  for (const name of Object.keys(result)) if (!keys.includes(name)) delete result[name];
}

function deleteFrom(result: JsonObject, name: string, values: unknown): void {
  const list = field(result, name);
  if (Array.isArray(list) && Array.isArray(values)) {
    setField(
      result,
      name,
      list.filter((item) => !values.includes(item)),
    );
  }
}

/** Puts the listed items in the listed order; items that only the server has keep their place relative to the others. */
function reorder(result: JsonObject, before: JsonObject, name: string, order: unknown, keyOf: KeyOf): void {
  const list = field(result, name);
  if (!Array.isArray(list) || !Array.isArray(order)) return;
  const key = keyOf(name);
  const idOf = (item: unknown): unknown => (key !== undefined && isJsonObject(item) ? field(item, key) : item);
  const rank = (ids: unknown[], item: unknown): number => ids.findIndex((id) => isDeepStrictEqual(id, idOf(item)));
  const wanted = order.map(idOf);
  const old = field(before, name);
  const was = Array.isArray(old) ? old.map(idOf) : [];
  const listed = list.filter((item) => rank(wanted, item) >= 0).sort((a, b) => rank(wanted, a) - rank(wanted, b));
  const others = list.filter((item) => rank(wanted, item) < 0);
  const merged: unknown[] = [];
  while (listed.length > 0 && others.length > 0) {
    const [other, next] = [rank(was, others[0]), rank(was, listed[0])];
    merged.push(other >= 0 && next >= 0 && other < next ? others.shift() : listed.shift());
  }
  setField(result, name, [...merged, ...others, ...listed]);
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return copy(Object.fromEntries(Object.entries(patch).filter(([name]) => !name.startsWith("$"))));
}
