// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { isHotUpgradeProcess } from "../src/version-order.ts";

test.each([
  ["idle serving", "1234", "0", { hotUpgrading: false, newer: false }],
  ["empty", "0", "1234", { hotUpgrading: false, newer: false }],
  ["new in an upgrade", "200", "100", { hotUpgrading: true, newer: true }],
  ["old, restarted in an upgrade", "100", "200", { hotUpgrading: true, newer: false }],
  ["longer numbers are greater, whatever their first digit", "1000", "999", { hotUpgrading: true, newer: true }],
  ["beyond what a double can tell apart", "9007199254740993", "9007199254740992", { hotUpgrading: true, newer: true }],
  ["outside pods", undefined, undefined, { hotUpgrading: false, newer: false }],
  ["no numbers", "abc", "7", { hotUpgrading: false, newer: false }],
  ["alone since ever", "100", "", { hotUpgrading: false, newer: false }],
] as const)("%s", (_, version, other, expected) => {
  expect(isHotUpgradeProcess({ SIDECARSET_VERSION: version, SIDECARSET_VERSION_ALT: other })).toEqual(expected);
});
