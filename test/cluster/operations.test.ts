// SPDX-License-Identifier: Apache-2.0
// docs/operations.md but for the migration, typed as it stands there, every block of commands.
import { expect, test } from "vitest";
import {
  bareCluster,
  containersOf,
  conversionStrategy,
  expectInjection,
  LIMIT_MS,
  operations,
  podsOf,
  read,
} from "./bare-cluster.ts";
import { standInForCertManager } from "./cert-manager.ts";
import type { Cluster } from "../../tools/cluster/cluster.ts";
import { type } from "./typed-commands.ts";

function webhooks(on: Cluster): object[] {
  const configuration = read(on, "get", "mutatingwebhookconfiguration", "hot-webhook");
  return (configuration as { webhooks: object[] }).webhooks;
}

test(
  "install, high availability, certificates, upgrade, troubleshooting, uninstall",
  async () => {
    const on = await bareCluster();
    await type(on, "kubectl create namespace some-namespace");
    const [install = "", optOut = ""] = operations.blocks("Install", 2);
    expect(await type(on, install)).toMatch(/successfully rolled out\nWebhook\n.*\nhot-webhook-\S+\n$/s);
    await type(on, optOut);
    await type(
      on,
      "kubectl apply -f samples/hotupgrade && kubectl wait sidecarset/mesh --for=condition=Ready --timeout=2m",
    );

    const [availability = ""] = operations.blocks("High availability", 1);
    expect(await type(on, availability)).toContain("successfully rolled out");
    await expectInjection(on);

    const [uninjected = ""] = operations.blocks("Pods without their sidecars", 1);
    expect(await type(on, uninjected.replace("deployment NAME", "deployment web"))).toMatch(/^mesh +0\n/m);
    await type(on, "kubectl rollout status deployment/web");
    await type(on, "kubectl wait sidecarset/mesh --for=condition=Ready --timeout=2m");
    const [again = ""] = operations.blocks("Trying again what has failed", 1);
    const [some] = podsOf(on);
    const annotated = await type(on, again.replace("POD", some?.metadata.name ?? ""));
    expect(annotated).toMatch(/^fewer than 1 pods .*\npod\/web-\S+ annotated\nsidecarset\S*\/mesh annotated\n$/s);
    await type(on, "kubectl wait sidecarset/mesh --for=condition=Ready --timeout=2m");
    const before = podsOf(on);

    const [replace = "", issued = ""] = operations.blocks("Certificates", 2);
    const authority = replace.split("\n", 1)[0] ?? "";
    const first = await type(on, replace);
    expect(first).toMatch(/^notBefore=.*\nnotAfter=/);
    expect(await type(on, authority)).not.toBe(`${first.split("\n").slice(0, 2).join("\n")}\n`);
    await expectInjection(on);
    await standInForCertManager(on);
    expect(await type(on, issued)).toMatch(/\nhot-webhook .*\n$/);
    await expectInjection(on);

    const [look = ""] = operations.blocks("Troubleshooting", 1);
    expect(await type(on, look)).toMatch(/^Ready=True UpToDate: /m);
    const newest = "kubectl get pods -n hot-system --sort-by=.metadata.creationTimestamp -o name | tail -n 1";
    const replica = (await type(on, newest)).trim().replace("pod/", "");
    const inTable = operations.inline("Troubleshooting", "kubectl");
    for (const command of inTable) await type(on, command.replace("POD", replica));

    const [upgrade = "", values = ""] = operations.blocks("Upgrade", 2);
    expect(await type(on, upgrade)).toMatch(/^mesh +4 +4 +4 /m);
    const [changed = "", history = "", rollback = ""] = values.trim().split("\n");
    // whose new replicas also make the configuration anew that the last command of the table took away
    await type(on, changed);
    expect(webhooks(on)).toContainEqual(expect.objectContaining({ name: "pods.hot.internal", failurePolicy: "Fail" }));
    await type(on, [history, rollback].join("\n"));
    expect(webhooks(on)).toContainEqual(
      expect.objectContaining({ name: "pods.hot.internal", failurePolicy: "Ignore" }),
    );
    expect(conversionStrategy(on)).toBe("Webhook");
    await expectInjection(on);

    const [uninstall = "", leftBehind = ""] = operations.blocks("Uninstall", 3);
    expect(await type(on, uninstall)).toMatch(/^mesh .*^pod\/after-uninstall created/ms);
    expect(conversionStrategy(on)).toBe("None");
    await type(on, leftBehind);
    expect(containersOf(podsOf(on)), "the application and its sidecars were never touched").toEqual(
      containersOf(before),
    );
  },
  LIMIT_MS,
);
