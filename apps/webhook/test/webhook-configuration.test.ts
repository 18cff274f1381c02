// SPDX-License-Identifier: Apache-2.0
import { matchesSelector, type LabelSelector } from "@hot/spec";
import { expect, test } from "vitest";
import { INJECTION_LABEL, isSentToWebhook, mutatingConfiguration } from "../src/webhook-configuration.ts";

const configuration = mutatingConfiguration({ namespace: "hot-system", caBundle: "" }, "Ignore") as {
  webhooks: [{ namespaceSelector: LabelSelector; objectSelector: LabelSelector }];
};
const [{ namespaceSelector, objectSelector }] = configuration.webhooks;

const LABELS: Record<string, string>[] = [{}, { [INJECTION_LABEL]: "disabled" }, { [INJECTION_LABEL]: "enabled" }];

test.each(["default", "kube-system", "kube-public", "hot-system"])(
  "namespace %s: the controller counts on admission for exactly those pods that the API server sends to it",
  (namespace) => {
    for (const own of LABELS) {
      for (const labels of LABELS) {
        const sent =
          matchesSelector(namespaceSelector, { ...own, "kubernetes.io/metadata.name": namespace }) &&
          matchesSelector(objectSelector, labels);
        expect(isSentToWebhook("hot-system", { namespace, labels }, own)).toBe(sent);
      }
    }
  },
);
