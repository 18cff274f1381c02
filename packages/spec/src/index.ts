// SPDX-License-Identifier: Apache-2.0
export { findCondition, setCondition } from "./conditions.ts";
export type * from "./container.ts";
export { NAMESPACE_NAME_LABEL, toV1Alpha1, toV1Beta1 } from "./convert.ts";
export {
  sidecarSetCrd,
  type CrdOptions,
  type CrdVersion,
  type SidecarSetCrd,
  type WebhookClientConfig,
} from "./crd.ts";
export { defaultSidecarSet, type Defaulted, type Versions } from "./defaults.ts";
export {
  fieldErrorMessage,
  toInvalidStatus,
  toStatusCauses,
  type FieldError,
  type FieldErrorType,
  type InvalidStatus,
} from "./field-error.ts";
export { compareCodePoints, goString } from "./go-json.ts";
export { UnhashableError, hashedText, safeEncode, sidecarSetHashes, type SidecarSetHashes } from "./hash.ts";
export { hotUpgradePolicy } from "./hot-upgrade-policy.ts";
export { defaultPullPolicy, parseImage, type ImageReference } from "./image-reference.ts";
export { intOrPercentProblem, scaleIntOrPercent } from "./int-or-percent.ts";
export {
  matchesSelector,
  matchesValidSelector,
  selectorErrors,
  selectorIsEmpty,
  type Labels,
  type SelectorError,
} from "./label-selector.ts";
export { MalformedError } from "./malformed-error.ts";
export * from "./names.ts";
export { parseObject, stringifySorted } from "./json-annotation.ts";
export type * from "./object-meta.ts";
export type * from "./pod.ts";
export type { JsonSchema } from "./open-api.ts";
export { fromNano, toNano } from "./nano-quantity.ts";
export { compileRe2, type Re2 } from "./re2.ts";
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
export { evaluateResourceExpr, nanoOf, type ResourceValue } from "./resource-expr/evaluate.ts";
export { ResourceExprError } from "./resource-expr/parse.ts";
export { newRevision, revisionData, revisionHash, revisionName, type NewRevision } from "./revision.ts";
export { syncRevisions, type RevisionSync, type RevisionSyncInput } from "./revision-sync.ts";
export { shapeProblem, type ShapeProblem } from "./shape.ts";
export { selectorsCanMeet, selectorsOverlap } from "./selector-overlap.ts";
export type * from "./sidecar-set.ts";
export { isStalled, retryToken } from "./stalled.ts";
export { validateSidecarSet, type ValidationInput, type ValidationResult } from "./validate.ts";
export { withoutNulls } from "./without-nulls.ts";
export { canaryBase } from "./validate/canary.ts";
export type { MetadataRules } from "./validate/patch-metadata.ts";
