// SPDX-License-Identifier: Apache-2.0
import { defaultPullPolicy } from "../image-reference.ts";
import { warningLine } from "../warning-line.ts";
import { defaultDivisor, defaultResourceList } from "./quantities.ts";
import { ensureRaw, isRaw, rawItems, setDefault, type Raw } from "./raw.ts";

/**
 * The defaults of one sidecar container, as Kruise's webhook sets them; in place. startupProbe and gRPC service get
 * none, because what is set here enters the hash.
 */
export function defaultContainer(container: Raw, injectPolicy: string): void {
  setDefault(container, "podInjectPolicy", injectPolicy);
  const upgrade = ensureRaw(container, "upgradeStrategy");
  if (upgrade) setDefault(upgrade, "upgradeType", "ColdUpgrade");
  const share = ensureRaw(container, "shareVolumePolicy");
  if (share) setDefault(share, "type", "disabled");

  const { image } = container;
  setDefault(container, "imagePullPolicy", defaultPullPolicy(typeof image === "string" ? image : ""));
  setDefault(container, "terminationMessagePath", "/dev/termination-log");
  setDefault(container, "terminationMessagePolicy", "File");
  for (const port of rawItems(container["ports"])) setDefault(port, "protocol", "TCP");
  for (const { valueFrom } of rawItems(container["env"])) {
    if (!isRaw(valueFrom)) continue;
    defaultFieldRef(valueFrom["fieldRef"]);
    defaultDivisor(valueFrom["resourceFieldRef"]);
  }
  for (const { sourceContainerNameFrom } of rawItems(container["transferEnv"]))
    if (isRaw(sourceContainerNameFrom)) defaultFieldRef(sourceContainerNameFrom["fieldRef"]);
  if (isRaw(container["resources"])) {
    defaultResourceList(container["resources"]["limits"]);
    defaultResourceList(container["resources"]["requests"]);
  }
  for (const name of ["livenessProbe", "readinessProbe"]) defaultProbe(container[name]);
  if (isRaw(container["lifecycle"])) {
    for (const name of ["postStart", "preStop"]) {
      const hook = container["lifecycle"][name];
      if (isRaw(hook)) defaultHttpGet(hook["httpGet"]);
    }
  }
}

export function defaultFieldRef(fieldRef: unknown): void {
  if (isRaw(fieldRef)) setDefault(fieldRef, "apiVersion", "v1");
}

function defaultProbe(probe: unknown): void {
  if (!isRaw(probe)) return;
  setDefault(probe, "timeoutSeconds", 1);
  setDefault(probe, "periodSeconds", 10);
  setDefault(probe, "successThreshold", 1);
  setDefault(probe, "failureThreshold", 3);
  defaultHttpGet(probe["httpGet"]);
}

function defaultHttpGet(httpGet: unknown): void {
  if (!isRaw(httpGet)) return;
  setDefault(httpGet, "path", "/");
  setDefault(httpGet, "scheme", "HTTP");
}

/** Accepts `hotUpgradeEmptyImage` beside `upgradeStrategy`, where the article that made it known has it; in place. */
export function moveEmptyImage(container: Raw, path: string): string[] {
  if (!Object.hasOwn(container, "hotUpgradeEmptyImage")) return [];
  const upgrade = ensureRaw(container, "upgradeStrategy");
  if (!upgrade) return [];
  setDefault(upgrade, "hotUpgradeEmptyImage", container["hotUpgradeEmptyImage"]);
  delete container["hotUpgradeEmptyImage"];
  return [warningLine("EmptyImageMoved", `${path}.hotUpgradeEmptyImage`)];
}
