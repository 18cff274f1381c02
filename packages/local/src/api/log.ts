// SPDX-License-Identifier: Apache-2.0

/** Receives what happens, one line each. */
export type Log = (line: string) => void;
