// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { isHotUpgradeProcess, ownVersion } from "../src/version-order.ts";

test.each([
  ["idle serving", "1234", "0", { hotUpgrading: false, newer: false }],
  ["empty", "0", "1234", { hotUpgrading: false, newer: false }],
  ["new in an upgrade", "200", "100", { hotUpgrading: true, newer: true }],
  ["old, restarted in an upgrade", "100", "200", { hotUpgrading: true, newer: false }],
  ["longer numbers are greater, whatever their first digit", "1000", "999", { hotUpgrading: true, newer: true }],
  ["beyond what a double can tell apart", "9007199254740993", "9007199254740992", { hotUpgrading: true, newer: true }],
  ["beyond 64 bits", "100000000000000000000", "99999999999999999999", { hotUpgrading: true, newer: true }],
  ["leading zeros do not count", "8", "0000000000000000000000010", { hotUpgrading: true, newer: false }],
  ["outside pods", undefined, undefined, { hotUpgrading: false, newer: false }],
  ["no numbers", "abc", "7", { hotUpgrading: false, newer: false }],
  ["alone since ever", "100", "", { hotUpgrading: false, newer: false }],
] as const)("%s", (_, version, other, expected) => {
  expect(isHotUpgradeProcess({ SIDECARSET_VERSION: version, SIDECARSET_VERSION_ALT: other })).toEqual(expected);
});

test.each([
  [undefined, "0"],
  ["", "0"],
  ["0", "0"],
  ["0012", "12"],
  ["18446744073709551615", "18446744073709551615"],
  ["000000000000000000000000000007", "7"],
])("the version %j of a process is %s", (text, expected) => {
  expect(String(ownVersion({ SIDECARSET_VERSION: text }))).toBe(expected);
});

test.each(["18446744073709551616", "100000000000000000000", "abc", "-1", "1.5", " 7", "0x7"])(
  "%j is refused: taken for 0 it would be older than everything, and asked for under another name by hot-standby",
  (text) => {
    expect(() => ownVersion({ SIDECARSET_VERSION: text })).toThrow(
      expect.objectContaining({ code: "HOT4014", message: expect.stringContaining(`SIDECARSET_VERSION=${text}`) }),
    );
  },
);
