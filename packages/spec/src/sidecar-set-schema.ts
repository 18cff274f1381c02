// SPDX-License-Identifier: Apache-2.0
import { sidecarContainerSchema, type Field, type FieldType, type List, type Struct } from "./core-schema.ts";

const field = (name: string, type: FieldType = "string"): Field => ({ name, type, emit: "nonEmpty" });
const struct = (...fields: Field[]): Struct => ({ fields });
const list = (of: FieldType, ...keys: string[]): List => (keys.length === 0 ? { list: of } : { list: of, keys });
const strings: FieldType = { map: "string" };

export const labelSelectorSchema: Struct = struct(
  field("matchLabels", strings),
  field("matchExpressions", list(struct(field("key"), field("operator"), field("values", list("string"))))),
);

const updateStrategy = struct(
  field("type"),
  field("paused", "bool"),
  field("selector", labelSelectorSchema),
  field("partition", "intOrString"),
  field("maxUnavailable", "intOrString"),
  field(
    "priorityStrategy",
    struct(
      field("orderPriority", list(struct(field("orderedKey")))),
      field("weightPriority", list(struct(field("weight", "int32"), field("matchSelector", labelSelectorSchema)))),
    ),
  ),
  field("scatterStrategy", list(struct(field("key"), field("value")))),
  field(
    "hotUpgrade",
    struct(
      field("progressDeadlineSeconds", "int32"),
      field("onFailure"),
      field("failureThreshold", "intOrString"),
      field("minReadySeconds", "int32"),
      field("newPodsWhenStalled"),
    ),
  ),
);

const injectionStrategy = struct(
  field("paused", "bool"),
  field("revision", struct(field("customVersion"), field("revisionName"), field("policy"))),
);

/** `spec` in both versions; volumes have only their name here, because their sources pass through. */
export function specSchema(version: "v1alpha1" | "v1beta1"): Struct {
  return struct(
    field("selector", labelSelectorSchema),
    version === "v1alpha1" ? field("namespace") : field("customVersion"),
    field("namespaceSelector", labelSelectorSchema),
    field("initContainers", list(sidecarContainerSchema, "name")),
    field("containers", list(sidecarContainerSchema, "name")),
    field("volumes", list(struct(field("name")), "name")),
    field("updateStrategy", updateStrategy),
    field("injectionStrategy", injectionStrategy),
    field("imagePullSecrets", list(struct(field("name")))),
    field("revisionHistoryLimit", "int32"),
    field("patchPodMetadata", list(struct(field("annotations", strings), field("patchPolicy")))),
  );
}

/** The part of `metadata` whose types matter here. */
export const metadataSchema: Struct = struct(
  field("name"),
  field("generateName"),
  field("namespace"),
  field("labels", strings),
  field("annotations", strings),
);

export const statusSchema: Struct = struct(
  field("observedGeneration", "int64"),
  field("matchedPods", "int32"),
  field("updatedPods", "int32"),
  field("readyPods", "int32"),
  field("updatedReadyPods", "int32"),
  field("latestRevision"),
  field("collisionCount", "int32"),
  field("upgradingPods", "int32"),
  field("failedPods", "int32"),
  field("notUpgradablePods", "int32"),
  field("uninjectedPods", "int32"),
  field("lastGoodRevision"),
  field("observedRetry"),
);
