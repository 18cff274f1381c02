// SPDX-License-Identifier: Apache-2.0
import type { PodProjection } from "./pod-projection.ts";

/** Pods that injection would choose the SidecarSet for and that run without it. */
export interface Uninjected {
  /** Created after the SidecarSet: admission did not answer, or they are selected only since then. */
  readonly later: number;
  /** Name of the only one of these. */
  readonly only?: string;
  readonly older: number;
  /** Those of `later` that nobody was told of. */
  readonly fresh: readonly PodProjection[];
}

/** `2 pods run without it: …; 1 pod is older than it`; empty if there are none. */
export function uninjectedTexts({ later, older, only }: Uninjected): string[] {
  const many = (count: number, one: string, more: string): string => (count === 1 ? one : `${count} pods ${more}`);
  return [
    ...(later > 0
      ? [
          `${many(later, `${only ?? "1 pod"} runs`, "run")} without it: created while admission did not answer, or selected only since then (HOT1210)`,
        ]
      : []),
    ...(older > 0 ? [`${many(older, "1 pod is", "are")} older than it and not injected (HOT1211)`] : []),
  ];
}
