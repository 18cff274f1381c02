// SPDX-License-Identifier: Apache-2.0
import { injectionCodes } from "./reason-codes/injection.ts";
import { operationCodes } from "./reason-codes/operation.ts";
import { rolloutCodes } from "./reason-codes/rollout.ts";
import { validationCodes } from "./reason-codes/validation.ts";

// HOT4xxx is reserved for the hand-off, whose package must not depend on this one.
const registry = { ...rolloutCodes, ...injectionCodes, ...validationCodes, ...operationCodes };

export type Reason = keyof typeof registry;
export type RolloutReason = keyof typeof rolloutCodes;
export type InjectionReason = keyof typeof injectionCodes;
export type ValidationReason = keyof typeof validationCodes;
export type OperationReason = keyof typeof operationCodes;

/** One entry of the registry that condition, event, metric label, log, CLI and docs share. */
export interface ReasonCode<R extends Reason = Reason> {
  /** Stable for ever: `HOT` and four digits. */
  readonly code: (typeof registry)[R][0];
  /** CamelCase; valid as the reason of a condition or event and as a metric label. */
  readonly reason: R;
  /** What is the case, in general. Callers add names and numbers. */
  readonly sentence: string;
  /** What to do about it. */
  readonly fix: string;
  /** Place in the documentation, relative to the repository. */
  readonly docs: string;
}

/**
 * Looks up one reason; the name is checked by the compiler.
 *
 * @example reasonCode("MaxUnavailableReached").code // "HOT1203"
 */
export function reasonCode<R extends Reason>(reason: R): ReasonCode<R> {
  const [code, sentence, fix] = registry[reason];
  return { code, reason, sentence, fix, docs: `docs/errors.md#${`${code}-${reason}`.toLowerCase()}` };
}

/** Every registered code, ordered by code. */
export function allReasonCodes(): ReasonCode[] {
  const reasons = Object.keys(registry) as Reason[];
  return reasons.map((reason) => reasonCode(reason)).sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** Whether a text, for example the reason of a condition that was read back, is a registered reason. */
export function isReason(text: string): text is Reason {
  return Object.hasOwn(registry, text);
}
