// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { matchesSelector } from "@hot/spec";
import { type FieldError, fieldInvalid, fieldRequired } from "./failure.ts";
import { type ApiObject, at, isJsonObject } from "./object.ts";
import { defaultPodSpec, setDefaults } from "./pod-defaults.ts";
import { validateTemplate } from "./pod-validation.ts";

export function defaultDeployment(deployment: ApiObject): void {
  const { spec } = deployment;
  if (!isJsonObject(spec)) return;
  setDefaults(spec, {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: "RollingUpdate" },
  });
  if (isJsonObject(spec.strategy) && spec.strategy.type !== "Recreate") {
    setDefaults(spec.strategy, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } });
  }
  const template = at(spec, "template", "spec");
  if (isJsonObject(template)) defaultPodSpec(template);
}

export function validateDeployment(deployment: ApiObject, old: ApiObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const replicas = at(deployment, "spec", "replicas");
  if (typeof replicas !== "number" || !Number.isInteger(replicas) || replicas < 0) {
    errors.push(fieldInvalid("spec.replicas", replicas, "must be greater than or equal to 0"));
  }
  const selector = at(deployment, "spec", "selector");
  const labels = at(deployment, "spec", "template", "metadata", "labels");
  if (!isJsonObject(selector)) errors.push(fieldRequired("spec.selector"));
  else if (Object.keys(selector).length === 0)
    errors.push(fieldInvalid("spec.selector", selector, "empty selector is invalid for deployment"));
  else if (!matchesSelector(selector, (labels ?? {}) as Record<string, string>)) {
    errors.push(
      fieldInvalid("spec.template.metadata.labels", labels ?? null, "`selector` does not match template `labels`"),
    );
  }
  if (old && !isDeepStrictEqual(selector, at(old, "spec", "selector"))) {
    errors.push(fieldInvalid("spec.selector", selector, "field is immutable"));
  }
  return [...errors, ...validateTemplate(deployment)];
}
