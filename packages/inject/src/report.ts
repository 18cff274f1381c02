// SPDX-License-Identifier: Apache-2.0
import { reasonCode, type InjectionReason } from "@hot/spec";

/** What was done to a pod and what was not, each with a code of the registry. */
export interface InjectionReport {
  injected: InjectedSidecarSet[];
  skipped: SkippedSidecarSet[];
  /** Present when the pod may not be changed; nothing was injected then. */
  denied?: Denial;
  /** Remarks for the person who creates the pod. */
  warnings: string[];
}

export interface InjectedSidecarSet {
  sidecarSet: string;
  /** Names in the pod, in the SidecarSet's order, init containers first; both names of a hot pair. */
  containers: string[];
  hash: string;
}

export interface SkippedSidecarSet {
  sidecarSet: string;
  /** `HOT2xxx`. */
  code: string;
  reason: InjectionReason;
  sentence: string;
}

export interface Denial {
  /** The SidecarSet at fault; empty when the pod itself is. */
  sidecarSet: string;
  /** `HOT2xxx`. */
  code: string;
  reason: InjectionReason;
  sentence: string;
  fix: string;
}

/** Thrown inside this package to give up the whole injection; {@link injectPod} turns it into `report.denied`. */
export class InjectionDenied extends Error {
  override readonly name = "InjectionDenied";
  readonly denial: Denial;

  constructor(sidecarSet: string, reason: InjectionReason, sentence: string) {
    super(sentence);
    const { code, fix } = reasonCode(reason);
    this.denial = { sidecarSet, code, reason, sentence, fix };
  }
}

export function skipped(sidecarSet: string, reason: InjectionReason, sentence: string): SkippedSidecarSet {
  return { sidecarSet, code: reasonCode(reason).code, reason, sentence };
}

const MAX_SHOWN = 80;

/** A text of any length as part of a sentence: what is read by people, and by what refuses long events. */
export function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** A remark as text: the sentence and its code. */
export function warning(reason: InjectionReason, sentence: string): string {
  return `${sentence} (${reasonCode(reason).code})`;
}
