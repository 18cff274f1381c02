// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Load, send } from "./load.ts";
import { Pod } from "./programs.ts";

test("v1 → v2 under load, as a hot upgrade does it: hook, receipt, reset; then v3 on the first side: nothing fails", async () => {
  await using pod = await Pod.open();
  await pod.app();
  const v1 = pod.sidecar(1, 0);
  await v1.says("owns");
  expect(await pod.standby("migrate", 1, 0)).toMatchObject({ code: 0 });
  expect(await pod.standby("probe", 1, 0)).toMatchObject({ code: 0 });
  const load = new Load(pod.port);
  await load.answeredBy("v1", 100);

  const v2 = pod.sidecar(2, 1);
  expect(await pod.standby("migrate", 2, 1)).toMatchObject({ code: 0 }); // blocks until the takeover
  expect(await pod.standby("probe", 2, 1)).toMatchObject({ code: 0 });
  expect(await pod.standby("probe", 1, 0)).toMatchObject({ code: 0 }); // the old side stands by, which is fine
  await load.answeredBy("v2", 100);
  expect((await v1.stop("SIGTERM")).code).toBe(0);
  await load.answeredBy("v2", 100);

  const v3 = pod.sidecar(3, 2);
  expect(await pod.standby("migrate", 3, 2)).toMatchObject({ code: 0 });
  await load.answeredBy("v3", 100);
  expect((await v2.stop("SIGTERM")).code).toBe(0);
  const before = { ...load.byVersion };
  await load.answeredBy("v3", 100);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.byVersion["v1"]).toBe(before["v1"]);
  expect(load.byVersion["v2"]).toBe(before["v2"]);
  expect(v3.err).toBe("");
});

test("a broken v2 never takes over, and a good v2 that is aborted gives back: nothing fails", async () => {
  await using pod = await Pod.open();
  await pod.app();
  const v1 = pod.sidecar(1, 0);
  await v1.says("owns");
  const load = new Load(pod.port);
  await load.answeredBy("v1", 50);

  const broken = pod.sidecar(2, 1, { DEMO_CRASH: "1" });
  expect(await pod.standby("probe", 2, 1)).toMatchObject({ code: 1 });
  expect((await broken.ended).code).toBe(1);
  await load.answeredBy("v1", 50);

  const v4 = pod.sidecar(4, 1);
  expect(await pod.standby("migrate", 4, 1)).toMatchObject({ code: 0 });
  await load.answeredBy("v4", 50);
  expect((await v4.stop("SIGTERM")).code).toBe(0); // the abort: its empty image is put back
  await load.answeredBy("v1", 50);
  expect(await pod.standby("probe", 1, 0)).toMatchObject({ code: 0 });
  await load.stop();
  expect(load.failures).toEqual([]);
});

test("a version that crashes after it has begun to serve: the old one takes back and serves", async () => {
  await using pod = await Pod.open();
  await pod.app();
  const old = pod.sidecar(1, 0);
  await old.says("owns");
  const crashing = pod.sidecar(2, 1, { DEMO_CRASH_AFTER_SECONDS: "1" });
  expect((await pod.standby("migrate", 2, 1)).code).toBe(0);
  expect((await crashing.ended).code).toBe(1);
  const { status, headers } = await send(pod.port, "/");
  expect({ status, version: headers["x-sidecar-version"] }).toEqual({ status: 200, version: "v1" });
  const wrong = await pod.sidecar(2, 1, { DEMO_CRASH_AFTER_SECONDS: "soon" }).ended;
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("DEMO_CRASH_AFTER_SECONDS=soon") as string });
});
