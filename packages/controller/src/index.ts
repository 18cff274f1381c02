// SPDX-License-Identifier: Apache-2.0
export { createController, type Controller, type ControllerOptions } from "./controller.ts";
export type { Log, OnMetric } from "./effects.ts";
export { projectPod, type ContainerProjection, type PodProjection } from "./plan/pod-projection.ts";
