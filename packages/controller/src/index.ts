// SPDX-License-Identifier: Apache-2.0
export { createController, type Controller, type ControllerOptions } from "./controller.ts";
export type { Log, OnMetric } from "./effects.ts";
export type { IsInjectable } from "./plan/injectable.ts";
export { projectPod, type ContainerProjection, type PodProjection } from "./plan/pod-projection.ts";
export type { NamespaceLabels } from "./plan/select-pods.ts";
export { byRevision, type RevisionView } from "./view/by-revision.ts";
export { explainPod, type Explanation } from "./view/explain.ts";
export {
  viewSidecarSet,
  type PairView,
  type PodView,
  type SideView,
  type SidecarSetView,
  type ViewInput,
} from "./view/tree.ts";
