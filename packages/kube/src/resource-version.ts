// SPDX-License-Identifier: Apache-2.0

/**
 * Compares two resourceVersions of one resource. They are decimal numbers of any length on every API server that
 * follows Kubernetes; `undefined` when one of them is something else and nothing can be said.
 */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number | undefined {
  if (a === undefined || b === undefined || !DECIMAL.test(a) || !DECIMAL.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function isOlder(a: string | undefined, b: string | undefined): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order < 0;
}

export function isOlderOrSame(a: string | undefined, b: string | undefined): boolean {
  const order = compareResourceVersions(a, b);
  return order !== undefined && order <= 0;
}

const DECIMAL = /^[1-9]\d*$/;
