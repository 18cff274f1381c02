// SPDX-License-Identifier: Apache-2.0
import { HandoffError } from "./errors.ts";

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

/** What HELLO and the name of the probe socket have room for. */
const MAX_VERSION = 2n ** 64n - 1n;

/**
 * `SIDECARSET_VERSION` of this process; 0 when it is missing or empty.
 *
 * @throws HandoffError HOT4014 for anything but a decimal number below 2^64: no order could be told from it.
 */
export function ownVersion(env: Environment): bigint {
  const text = env["SIDECARSET_VERSION"] ?? "";
  const version = parseVersion(text);
  if ((text === "" || DECIMAL.test(text)) && version <= MAX_VERSION) return version;
  throw new HandoffError("HOT4014", `SIDECARSET_VERSION=${text} is no decimal number below 2^64`, { phase: "open" });
}

const DECIMAL = /^\d+$/;

/** A number of any length; 0 when it is missing, empty or no decimal number. */
function parseVersion(text: string | undefined): bigint {
  return text !== undefined && DECIMAL.test(text) ? BigInt(text) : 0n;
}
