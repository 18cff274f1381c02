// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api } from "@hot/kube";
import { REVISION_OWNER_LABEL, type ControllerRevision } from "@hot/spec";
import { expect, test } from "vitest";
import { createRevisions } from "../../src/act/revisions.ts";
import { sidecarSet } from "../support/builders.ts";

test("where every name belongs to others it gives up and says which objects to delete", async () => {
  let asked = 0;
  const api = {
    list: () => Promise.resolve({ items: [] }),
    create: () => {
      asked++;
      return Promise.reject(new ApiError("create", 409, { reason: "AlreadyExists" }));
    },
    get: (_resource: unknown, name: string): Promise<ControllerRevision> =>
      Promise.resolve({ metadata: { name }, revision: 1, data: { spec: "another" } }),
  } as unknown as Api;
  const revisions = createRevisions({ api, store: { list: () => [] }, namespace: "hot-system", now: () => 0 });
  const sync = revisions.sync(sidecarSet({ image: "x:1" }), () => new Set(), new AbortController().signal);
  await expect(sync).rejects.toThrow(
    new RegExp(`SidecarSet mesh .*Delete those called mesh-… in namespace hot-system .*${REVISION_OWNER_LABEL}=mesh`),
  );
  expect(asked).toBe(21);
});
