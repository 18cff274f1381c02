// SPDX-License-Identifier: Apache-2.0
export type * from "./api.ts";
export { ApiError, ConfigError, ConnectionError, type ConnectionErrorCode } from "./api-error.ts";
export { abortable } from "./abortable.ts";
export { sleep, systemClock, type Clock } from "./clock.ts";
export { connect, type ConnectOptions } from "./connect.ts";
export { createEventRecorder, type EventRecorder, type EventRecorderOptions, type EventText } from "./events.ts";
export { createFairGate, type FairGate, type FairGateMetrics, type FairGateOptions } from "./fair-gate.ts";
export { fencedApi } from "./fenced-api.ts";
export {
  createLeaderElector,
  NotLeaderError,
  type LeaderElector,
  type LeaderElectorOptions,
  type Leadership,
} from "./leader-elector.ts";
export { mergePatch } from "./merge-patch.ts";
export { pacedApi } from "./paced-api.ts";
export { perKeyBackoff, slowestOf, tokenBucket, type BucketLimits, type RateLimiter } from "./rate-limit.ts";
export { createReflector, type Reflector, type ReflectorHealth, type ReflectorOptions } from "./reflector.ts";
export type { Selection } from "./relist.ts";
export { compareResourceVersions } from "./resource-version.ts";
export { objectKey, RESOURCES } from "./resources.ts";
export type { RestartCause } from "./restart-cause.ts";
export { runAll, RunnableError, type Runnable } from "./runnables.ts";
export type { Change, Store } from "./store.ts";
export { takeTurns, type Turns } from "./turns.ts";
export { createWorkQueue, type WorkQueue, type WorkQueueMetrics, type WorkQueueOptions } from "./work-queue.ts";
