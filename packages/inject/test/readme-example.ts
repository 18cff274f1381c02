// SPDX-License-Identifier: Apache-2.0
import { applyPatch, injectPod } from "@hot/inject";

const pod = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1" }] } };
const proxy = { name: "proxy", image: "proxy:1", upgradeStrategy: { upgradeType: "HotUpgrade" } as const };
const mesh = { metadata: { name: "mesh" }, spec: { selector: { matchLabels: { app: "web" } }, containers: [proxy] } };

const { patch, report } = injectPod({
  pod,
  namespace: { name: "shop", labels: { team: "shop" } },
  sidecarSets: [mesh],
  now: "2026-01-02T03:04:05Z",
});
console.log(report.injected[0]?.containers, report.denied?.code);
console.log(applyPatch(pod, patch).spec.containers.length);
