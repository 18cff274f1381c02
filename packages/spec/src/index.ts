// SPDX-License-Identifier: Apache-2.0
export type * from "./container.ts";
export { compareCodePoints, goString } from "./go-json.ts";
export { UnhashableError, hashedText, safeEncode, sidecarSetHashes, type SidecarSetHashes } from "./hash.ts";
export * from "./names.ts";
export type * from "./object-meta.ts";
export type * from "./pod.ts";
export { compareQuantities, formatQuantity, parseQuantity, roundUpToMilli, type ParsedQuantity } from "./quantity.ts";
export {
  allReasonCodes,
  isReason,
  reasonCode,
  type InjectionReason,
  type OperationReason,
  type Reason,
  type ReasonCode,
  type RolloutReason,
  type ValidationReason,
} from "./reason-codes.ts";
export type * from "./sidecar-set.ts";
