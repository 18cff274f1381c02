// SPDX-License-Identifier: Apache-2.0
// node --conditions=@hot/source bench/inject/run.ts: how fast one core injects and hashes.
import { Console } from "node:console";
import { injectPod } from "../../packages/inject/src/index.ts";
import { sidecarSetHashes, type Pod } from "@hot/spec";
import { tenKilobytePod, threeContainers, threeSidecarSets, thousandSidecarSets } from "./fixture.ts";
import { measure } from "./measure.ts";

const namespace = { name: "shop", labels: { team: "shop" } };
const now = "2026-01-02T03:04:05Z";
const pod = tenKilobytePod();
const three = threeSidecarSets();
const thousand = thousandSidecarSets();
const review = JSON.stringify({ request: { uid: "u", object: pod } });
const spec = threeContainers();
const inject = (sidecarSets: typeof three, of: Pod = pod) =>
  injectPod({ pod: of, namespace, sidecarSets, revisions: [], random: 0.5, now });

const check = inject(three).report;
if (check.injected.length !== 3 || inject(thousand).report.injected.length !== 3) {
  throw new Error(`the bench does not inject what it should: ${JSON.stringify(check)}`);
}

const rows = {
  "injectPod with patch, 3 SidecarSets": measure(() => inject(three)),
  "AdmissionReview: parse, inject, serialise": measure(() => {
    const { request } = JSON.parse(review) as { request: { uid: string; object: Pod } };
    const { patch } = inject(three, request.object);
    const text = Buffer.from(JSON.stringify(patch)).toString("base64");
    return JSON.stringify({ response: { uid: request.uid, allowed: true, patchType: "JSONPatch", patch: text } });
  }),
  "hash of a SidecarSet with 3 containers": measure(() => sidecarSetHashes({ spec })),
  "injectPod with patch, 3 of 1000 match": measure(() => inject(thousand)),
};

const out = new Console(process.stdout);
out.log(`pod: ${JSON.stringify(pod).length} bytes, Node ${process.version}`);
out.table(rows);
