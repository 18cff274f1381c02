// SPDX-License-Identifier: Apache-2.0
export { HandoffError } from "./errors.ts";
export type { HandoffErrorCode, HandoffPhase } from "./errors.ts";
export { HotHandoff } from "./handoff.ts";
export type { HandoffOptions, ReadyOptions, SignalOptions } from "./handoff.ts";
export type { HandoffEvents, HandoffRole } from "./events.ts";
export type { InternetAddress, PathAddress } from "./endpoint.ts";
export type { Listener, ListenOptions, PathListenOptions, TcpListenOptions } from "./listener.ts";
export type { Datagram, DatagramOptions } from "./datagram.ts";
export type { DrainOptions, DrainReport } from "./drain.ts";
export type { TerminateOptions } from "./termination.ts";
export type { Timeouts } from "./protocol/limits.ts";
export { isHotUpgradeProcess } from "./version-order.ts";
export type { Environment } from "./version-order.ts";
export { NativeUnavailable } from "./native/native-unavailable.ts";
