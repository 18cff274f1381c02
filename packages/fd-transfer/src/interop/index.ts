// SPDX-License-Identifier: Apache-2.0
export { InteropError } from "./errors.ts";
export type { InteropErrorCode } from "./errors.ts";
export { InheritedSockets } from "./inherited-sockets.ts";
export type { InheritedSocket, SocketLabel, SocketQuery } from "./inherited-sockets.ts";
export { getHaproxySockets } from "./haproxy.ts";
export type { HaproxyOptions } from "./haproxy.ts";
export { serveHaproxySockets } from "./haproxy-server.ts";
export type { HaproxyListener, HaproxyServer, HaproxyServerOptions } from "./haproxy-server.ts";
export { giveMigratedListener, takeMigratedListener } from "./migrate-socket.ts";
export type { GiveOptions, TakeOptions } from "./migrate-socket.ts";
export { descriptorOf } from "./descriptor-of.ts";
export { fromNginxEnv, toNginxEnv } from "./nginx.ts";
export { fromSystemd } from "./systemd.ts";
export { notifySystemd, removeStoredFds, storeFds } from "./sd-notify.ts";
export type { NotifyOptions } from "./sd-notify.ts";
