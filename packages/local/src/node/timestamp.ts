// SPDX-License-Identifier: Apache-2.0

/** Kubernetes time: RFC 3339 with whole seconds. */
export function timestamp(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
}
