// SPDX-License-Identifier: Apache-2.0
// The application's state: whole, of any size, imported once before the takeover, and never by a process that must not.
import { createHash } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { expect, test } from "vitest";
import type { FixtureProcess } from "./fixtures/fixture-process.ts";
import { Scene } from "./fixtures/fixture-process.ts";

const start = (scene: Scene, version: string, env: NodeJS.ProcessEnv = {}): FixtureProcess =>
  scene.start(version, env, "stateful.ts");

/** Sealed memories that a process has open. */
function memories({ child }: FixtureProcess): string[] {
  const folder = `/proc/${child.pid}/fd`;
  return readdirSync(folder)
    .map((fd) => readlinkSync(`${folder}/${fd}`))
    .filter((name) => name.includes("hot-state"));
}

test("100 MB and a Map go through three generations; no memory stays behind in any of them", async () => {
  await using scene = await Scene.open();
  const bytes = 100_000_000;
  const first = start(scene, "v1", { BYTES: String(bytes) });
  await first.says("ready");
  const second = start(scene, "v2");
  await second.says("ready");
  const third = start(scene, "v3");
  const sha = createHash("sha256").update(new Uint8Array(bytes).fill(7)).digest("hex");
  expect(await third.says("ready")).toMatchObject({
    by: ["v1", "v2", "v3"],
    routes: [["a", "1"]],
    bytes,
    sha,
    imports: 1,
    role: "successor",
  });
  expect([first, second, third].flatMap(memories)).toEqual([]);
});

test("another schema version is migrated, or refused: then the old process goes on", async () => {
  await using scene = await Scene.open();
  const first = start(scene, "v1");
  await first.says("ready");
  const refusing = start(scene, "v2", { SCHEMA: "2" });
  expect(await refusing.says("failed")).toMatchObject({
    code: "HOT4015",
    rolledBack: true,
    message: expect.stringContaining("version 1") as string,
  });
  expect(await first.says("rollback")).toMatchObject({ how: "aborted" });
  const migrating = start(scene, "v3", { SCHEMA: "2", MIGRATES: "1" });
  expect(await migrating.says("ready")).toMatchObject({ by: ["migrated from 1", "v3"] });
});

test("a state that cannot be exported: the owner says so and goes on; no process starts without it", async () => {
  await using scene = await Scene.open();
  const first = start(scene, "v1", { EXPORT: "fails" });
  await first.says("ready");
  const second = start(scene, "v2");
  expect(await first.says("rollback")).toMatchObject({ reason: expect.stringContaining("not now") as string });
  expect(second.has("ready")).toBe(false);
});
