// SPDX-License-Identifier: Apache-2.0

export interface ProtocolRange {
  readonly protoMin: number;
  readonly protoMax: number;
}

/** What this code speaks. */
export const SPOKEN: ProtocolRange = { protoMin: 1, protoMax: 1 };

/** The highest version that both speak, or null. */
export function negotiate(theirs: ProtocolRange, ours: ProtocolRange = SPOKEN): number | null {
  const highest = Math.min(theirs.protoMax, ours.protoMax);
  return highest >= Math.max(theirs.protoMin, ours.protoMin) ? highest : null;
}
