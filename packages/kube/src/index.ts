// SPDX-License-Identifier: Apache-2.0
export type * from "./api.ts";
export { ApiError, ConfigError, ConnectionError, type ConnectionErrorCode } from "./api-error.ts";
export { sleep, systemClock, type Clock } from "./clock.ts";
export { connect, type ConnectOptions } from "./connect.ts";
export { objectKey, RESOURCES } from "./resources.ts";
export { createReflector, type Reflector, type ReflectorHealth, type ReflectorOptions } from "./reflector.ts";
export type { Selection } from "./relist.ts";
export type { RestartCause } from "./restart-cause.ts";
export type { Change, Store } from "./store.ts";
