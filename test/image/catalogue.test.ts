// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { catalogue, fullNames, select } from "../../tools/image/catalogue.ts";

const specs = catalogue("dev");
const selected = (...words: string[]): string[] => select(specs, words).map(({ name }) => name);

test("a word may leave out host, group and tag", () => {
  for (const word of ["webhook", "hot/webhook", "localhost/hot/webhook:dev", "docker.io/hot/webhook", "webhook:dev"]) {
    expect(selected(word)).toEqual(["hot/webhook:dev"]);
  }
  expect(selected("standby", "sidecar-demo:v2")).toEqual(["hot/sidecar-demo:v2", "hot/standby:v1", "hot/standby:v2"]);
  expect(selected("pause:1")).toEqual(["pause:1"]);
  expect(selected()).toHaveLength(specs.length);
});

test("an unknown word names what there is", () => {
  expect(() => selected("webhook", "sidecar")).toThrow(/^there is no image sidecar; there are hot\/webhook:dev, /);
  expect(() => selected("webhook:v9")).toThrow("webhook:v9");
});

test("an image is known by the name of the samples, too, which means docker.io", () => {
  expect(fullNames("hot/demo-app:v1")).toEqual(["localhost/hot/demo-app:v1", "docker.io/hot/demo-app:v1"]);
  expect(fullNames("openkruise/hotupgrade-sample:empty")).toEqual(["docker.io/openkruise/hotupgrade-sample:empty"]);
});

test("the versions of the sidecar differ in what they say about themselves, and the broken one ends at once", () => {
  const env = (tag: string) => specs.find(({ name }) => name === `hot/sidecar-demo:${tag}`)?.config.env;
  expect(["v1", "v2", "v3"].map((tag) => env(tag))).toEqual([
    { DEMO_VERSION: "v1" },
    { DEMO_VERSION: "v2" },
    { DEMO_VERSION: "v3" },
  ]);
  expect(env("crash-later")).toEqual({ DEMO_VERSION: "crash-later", DEMO_CRASH_AFTER_SECONDS: "2" });
  expect(env("broken")).toEqual({ DEMO_VERSION: "broken", DEMO_CRASH: "1" });
});
