// SPDX-License-Identifier: Apache-2.0
import { defaultSidecarSet, toStatusCauses, validateSidecarSet } from "@hot/spec";

const raw: unknown = {
  metadata: { name: "mesh" },
  spec: {
    selector: { matchLabels: { app: "shop" } },
    containers: [{ name: "proxy", image: "proxy:1", upgradeStrategy: { upgradeType: "HotUpgrade" } }],
  },
};
const { object, warnings } = defaultSidecarSet(raw, "v1beta1");
console.log(object.metadata.annotations?.["kruise.io/sidecarset-hash"], warnings);
const { errors } = validateSidecarSet({ operation: "CREATE", object });
console.log(toStatusCauses(errors)); // spec.containers[0].upgradeStrategy.hotUpgradeEmptyImage … (HOT3201)
