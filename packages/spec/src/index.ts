// SPDX-License-Identifier: Apache-2.0
export type * from "./container.ts";
export * from "./names.ts";
export type * from "./object-meta.ts";
export type * from "./pod.ts";
export type * from "./sidecar-set.ts";
