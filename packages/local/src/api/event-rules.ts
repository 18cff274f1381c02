// SPDX-License-Identifier: Apache-2.0
import { type FieldError, fieldInvalid, fieldRequired } from "./failure.ts";
import { type ApiObject, setField, textAt } from "./object.ts";

/** An event is stored once and seen in two groups: names in the core group, and in `events.k8s.io`. */
const NAMES: readonly (readonly [core: string, events: string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];

/** The event in the form of `v1` or `events.k8s.io/v1`. */
export function convertEvent(event: ApiObject, apiVersion: string): ApiObject {
  const renamed = new Map(NAMES.map(([core, events]) => (apiVersion === "v1" ? [events, core] : [core, events])));
  const result: ApiObject = { apiVersion, kind: event.kind, metadata: event.metadata };
  for (const [name, value] of Object.entries(event)) {
    if (name !== "apiVersion") setField(result, renamed.get(name) ?? name, value);
  }
  return result;
}

/** The path in a stored event of a field that `events.k8s.io` calls otherwise. */
export function storedEventPath(path: string): string {
  const [first = "", ...rest] = path.split(".");
  return [NAMES.find(([, events]) => events === first)?.[0] ?? first, ...rest].join(".");
}

/**
 * An event of the old form is in the namespace of its object, or in `default` when that has none. One with an eventTime
 * says who reports what, and may be about an object of another namespace.
 */
export function validateEvent(event: ApiObject): FieldError[] {
  const core = event.apiVersion === "v1";
  const object = core ? "involvedObject" : "regarding";
  const errors: FieldError[] = [];
  const of = textAt(event, object, "namespace") ?? "";
  const old = event.eventTime === undefined || event.eventTime === null;
  const { namespace = "" } = event.metadata;
  const fits = of === "" ? namespace === "default" || (!old && namespace === "kube-system") : !old || of === namespace;
  if (!fits) {
    errors.push(fieldInvalid(`${object}.namespace`, of, "does not match event.namespace"));
  }
  if (old) return core ? errors : [...errors, fieldRequired("eventTime")];
  for (const name of [core ? "reportingComponent" : "reportingController", "reportingInstance", "action", "reason"]) {
    if (!textAt(event, name)) errors.push(fieldRequired(name));
  }
  if (event.type !== "Normal" && event.type !== "Warning")
    errors.push(fieldInvalid("type", event.type ?? "", "has invalid value"));
  return errors;
}
