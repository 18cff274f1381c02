// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Container, EnvVar, Pod } from "@hot/spec";
import { commandLine, imageEnv, withPaths } from "../../src/node/command.ts";
import { EnvError, expand, resolveEnv } from "../../src/node/env.ts";

test.each([
  ["$(A)", "1"],
  ["x$(A)$(A)y", "x11y"],
  ["$(UNKNOWN)", "$(UNKNOWN)"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$A ${A} $( A)", "$A ${A} $( A)"],
  ["$(A", "$(A"],
  ["$(toString)", "$(toString)"],
])("expand %s", (text, expected) => {
  expect(expand(text, { A: "1" })).toBe(expected);
});

test("text without a dollar is left as it is", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !text.includes("$")),
      (text) => expand(text, { A: "1" }) === text,
    ),
  );
});

const pod: Pod = {
  metadata: {
    name: "web-1",
    namespace: "shop",
    uid: "u-1",
    annotations: { "a.b/c-d": "noted" },
    labels: { app: "web" },
  },
  spec: { containers: [], nodeName: "local", serviceAccountName: "bob" },
};
const context = { podIP: "127.1.2.3", hostIP: "127.0.0.1" };
const resolve = (env: EnvVar[], more: Partial<Container> = {}): Record<string, string> =>
  resolveEnv({ name: "x", env, ...more }, pod, context, { BASE: "b" });

test.each([
  ["metadata.name", "web-1"],
  ["metadata.namespace", "shop"],
  ["metadata.uid", "u-1"],
  ["metadata.annotations['a.b/c-d']", "noted"],
  ["metadata.annotations['absent']", ""],
  ["metadata.labels['app']", "web"],
  ["spec.nodeName", "local"],
  ["spec.serviceAccountName", "bob"],
  ["status.podIP", "127.1.2.3"],
  ["status.hostIP", "127.0.0.1"],
])("field path %s", (fieldPath, expected) => {
  expect(resolve([{ name: "V", valueFrom: { fieldRef: { fieldPath } } }])).toEqual({ BASE: "b", V: expected });
});

test("a variable sees those before it, and the own env lies above the image's", () => {
  const env = [
    { name: "B", value: "$(A)" },
    { name: "A", value: "1" },
    { name: "C", value: "$(A)" },
    { name: "BASE", value: "own" },
  ];
  expect(resolve(env)).toEqual({ B: "$(A)", A: "1", C: "1", BASE: "own" });
});

test("what is not supported is said, with the variable's name", () => {
  expect(() => resolve([{ name: "V", valueFrom: { fieldRef: { fieldPath: "status.phase" } } }])).toThrow(EnvError);
  expect(() => resolve([{ name: "V", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }])).toThrow(/"V"/);
  expect(() => resolve([], { envFrom: [{}] })).toThrow(/envFrom/);
});

const variables = { POD_IP: "127.1.2.3", POD_NAME: "web-1", CONTAINER: "x", SHM: "/dev/shm/p" };
const entry = { entrypoint: ["run", "$(CONTAINER)"], cmd: ["--at", "$(POD_IP)"], paths: { run: "/abs/run" } };

test.each<[string, Partial<Container>, string[]]>([
  ["the image's own", {}, ["/abs/run", "x", "--at", "127.1.2.3"]],
  ["args replace cmd", { args: ["$(A)", "$(POD_IP)"] }, ["/abs/run", "x", "1", "$(POD_IP)"]],
  ["command replaces both", { command: ["run"] }, ["/abs/run"]],
  ["command and args", { command: ["sh"], args: ["run", "run now"] }, ["sh", "/abs/run", "run now"]],
])("command line: %s", (_what, container, expected) => {
  expect(commandLine({ name: "x", ...container }, entry, { A: "1" }, variables)).toEqual(expected);
});

test("the image's env, and words that are paths", () => {
  expect(imageEnv({ env: { DIR: "$(SHM)/hot", SELF: "$(POD_NAME)/$(CONTAINER)" } }, variables)).toEqual({
    DIR: "/dev/shm/p/hot",
    SELF: "web-1/x",
  });
  expect(withPaths(["run", "toString"], entry)).toEqual(["/abs/run", "toString"]);
});
