// SPDX-License-Identifier: Apache-2.0

/** From the start of a new process until a moment after it serves; milliseconds of the clock that all processes share. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Moments in ascending order are told apart in one walk; the windows may overlap and come in any order. */
export function insideOf(windows: readonly Window[]): (moment: number) => boolean {
  const merged = merge(windows);
  let index = 0;
  return (moment) => {
    while (index < merged.length && (merged[index] as Window).to < moment) index++;
    const window = merged[index];
    return window !== undefined && window.from <= moment;
  };
}

/** Whether anything of this span is within a window. */
export function touches(windows: readonly Window[], span: Window): boolean {
  return windows.some(({ from, to }) => from <= span.to && span.from <= to);
}

function merge(windows: readonly Window[]): Window[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of windows.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
