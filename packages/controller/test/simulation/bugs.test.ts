// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { BUGS } from "./bugs.ts";
import { simulateMany } from "./many.ts";

/** Seeds within which every bug has to be found. */
const LIMIT = 1_500;

test.each(BUGS)(
  "found: $name",
  async ({ name, found }) => {
    const { failures } = await simulateMany({ from: 1, count: LIMIT, workers: 2, bug: name, stopAtFirst: true });
    expect(failures[0]?.violation).toMatch(found);
  },
  600_000,
);
