// SPDX-License-Identifier: Apache-2.0
import type { SidecarSetView } from "@hot/controller";
import { expect, test } from "vitest";
import { Tally } from "../src/load/tally.ts";
import { picture } from "../src/picture.ts";

const view: SidecarSetView = {
  name: "mesh",
  state: "Reconciling",
  message: "",
  matched: 2,
  updated: 1,
  ready: 1,
  revision: "",
  uninjected: [],
  pods: [
    {
      namespace: "default",
      name: "web-1",
      ready: false,
      updated: false,
      revision: "",
      reason: "MaxUnavailableReached",
      detail: "",
      pairs: [
        {
          base: "x",
          state: "upgrading",
          sides: [
            { container: "x-1", role: "old", version: "1", image: "v1", observed: "ready" },
            {
              container: "x-2",
              role: "working",
              version: "7",
              image: "v2",
              observed: "waiting",
              waiting: "ErrImagePull",
            },
          ],
        },
      ],
    },
    {
      namespace: "default",
      name: "web-2",
      ready: true,
      updated: true,
      revision: "",
      reason: "UpToDate",
      detail: "",
      pairs: [],
    },
  ],
};

test("a pod that waits says why, with the code; a settled one does not", () => {
  const tally = new Tally();
  tally.request("idle");
  tally.answer("idle", "web-1", "v1/x-1", 0);
  expect(picture(view, tally.snapshot())).toEqual([
    "",
    "mesh   Reconciling   1 of 2 updated",
    "├─ ◌ web-1  HOT1203 MaxUnavailableReached",
    "│  ├─ ● x-1         old       v1                      ready",
    "│  └─ ✗ x-2         working   v2                      ErrImagePull",
    "└─ ● web-2",
    "",
    "answers   v1 1",
    "requests  1 sent, 0 failed, 0 connections lost",
  ]);
});

test("before the first report there is no traffic", () => {
  expect(picture(view, undefined).at(-1)).toBe("no traffic yet");
});
