// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { EMPTY, image, injected, losses, namespace, pods, setVersion, startLoad, unique, waitReady } from "./kit.ts";

test("a hot upgrade under load loses nothing", async () => {
  const ns = await namespace();
  const name = unique("mesh");
  const load = startLoad(await injected({ name, namespace: ns }, 2));
  await setVersion(name, "v2");
  waitReady(name);
  expect(losses(await load.stop())).toEqual([]);
  for (const pod of await pods(ns)) {
    const images = Object.fromEntries((pod.spec?.containers ?? []).map((one) => [one.name, one.image]));
    expect(images).toEqual({ app: "localhost/hot/demo-app:v1", "sidecar-1": EMPTY, "sidecar-2": image("v2") });
  }
});
