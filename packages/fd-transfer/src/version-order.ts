// SPDX-License-Identifier: Apache-2.0

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the SidecarSet tells this container about its pair, fixed when the container started.
 * `hotUpgrading`: the other side is at work too. `newer`: this side is the one to take over.
 *
 * @example
 * if (isHotUpgradeProcess().newer) await takeOver();
 */
export function isHotUpgradeProcess(env: Environment = process.env): { hotUpgrading: boolean; newer: boolean } {
  const version = parseVersion(env["SIDECARSET_VERSION"]);
  const other = parseVersion(env["SIDECARSET_VERSION_ALT"]);
  const hotUpgrading = version > 0n && other > 0n;
  return { hotUpgrading, newer: hotUpgrading && version > other };
}

/** `SIDECARSET_VERSION` as a number of any length; 0 when it is missing, empty or no decimal number. */
export function parseVersion(text: string | undefined): bigint {
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}
