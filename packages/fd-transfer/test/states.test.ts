// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { deferred } from "../src/deferred.ts";
import { States } from "../src/states.ts";
import { openDescriptors } from "./native/descriptors.ts";

const KEYS = ["a", "b"];

/** What the old process sends at this attempt. */
function send(attempt: number, to: States): void {
  const from = new States();
  for (const key of KEYS) from.declare(key, { export: () => `${key}${attempt}`, import: () => undefined });
  for (const { item, memory } of from.export()) to.receive(item, memory);
}

test.each(["before", "while"])(
  "an import that outlives its attempt takes nothing from the next one: it ends %s that imports",
  async (when) => {
    const before = openDescriptors();
    const [begun, slow] = [deferred(), deferred()];
    const imported: string[] = [];
    const states = new States();
    for (const key of KEYS) {
      states.declare<string>(key, {
        export: () => "",
        import: async (value) => {
          imported.push(value);
          begun.resolve();
          await (value === "a1" ? slow.promise : sleep(1));
        },
      });
    }
    send(1, states);
    const late = states.import().catch(() => undefined);
    await begun.promise;
    states.forget(); // the attempt was called off
    send(2, states);
    if (when === "before") {
      slow.resolve();
      await late;
    }
    const second = states.import();
    slow.resolve();
    await Promise.all([late, second]);
    expect(imported).toEqual(["a1", "a2", "b2"]);
    states.forget();
    expect(openDescriptors()).toEqual(before);
  },
);
