// SPDX-License-Identifier: Apache-2.0
import { warningLine } from "../warning-line.ts";
import { defaultFieldRef } from "./container.ts";
import { canonicalize, defaultDivisor } from "./quantities.ts";
import { isRaw, rawItems, type Raw } from "./raw.ts";

const DEFAULT_MODE = 0o644;
const TOKEN_SECONDS = 3600;

/** Volume sources of Kubernetes 1.32. */
export const VOLUME_SOURCES: ReadonlySet<string> = new Set(
  `hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs persistentVolumeClaim
  rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte azureDisk
  photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image`.split(/\s+/),
);

/** The defaults of one volume, in place. A volume without a known source becomes an emptyDir, as in Kubernetes. */
export function defaultVolume(volume: Raw, path: string): string[] {
  const warnings: string[] = [];
  const sources = Object.keys(volume).filter((key) => key !== "name" && volume[key] !== null);
  for (const unknown of sources.filter((source) => !VOLUME_SOURCES.has(source))) {
    warnings.push(warningLine("UnknownVolumeSource", `${path}.${unknown}`));
    delete volume[unknown];
  }
  if (!sources.some((source) => VOLUME_SOURCES.has(source))) volume["emptyDir"] = {};

  const source = (name: string): Raw | undefined => (isRaw(volume[name]) ? volume[name] : undefined);
  const hostPath = source("hostPath");
  if (hostPath) hostPath["type"] ??= "";
  const emptyDir = source("emptyDir");
  if (emptyDir) canonicalize(emptyDir, "sizeLimit");
  for (const name of ["secret", "configMap", "downwardAPI", "projected"]) {
    const files = source(name);
    if (files) files["defaultMode"] ??= DEFAULT_MODE;
  }
  defaultDownwardItems(source("downwardAPI"));
  for (const { serviceAccountToken, downwardAPI } of rawItems(source("projected")?.["sources"])) {
    if (isRaw(serviceAccountToken)) setTokenSeconds(serviceAccountToken);
    defaultDownwardItems(downwardAPI);
  }
  canonicalizeClaim(source("ephemeral"));
  return warnings;
}

function setTokenSeconds(token: Raw): void {
  token["expirationSeconds"] ??= TOKEN_SECONDS;
}

function defaultDownwardItems(downwardAPI: unknown): void {
  for (const item of rawItems(isRaw(downwardAPI) ? downwardAPI["items"] : undefined)) {
    defaultFieldRef(item["fieldRef"]);
    defaultDivisor(item["resourceFieldRef"]);
  }
}

function canonicalizeClaim(ephemeral: Raw | undefined): void {
  const template = ephemeral?.["volumeClaimTemplate"];
  const spec = isRaw(template) ? template["spec"] : undefined;
  const resources = isRaw(spec) ? spec["resources"] : undefined;
  if (!isRaw(resources)) return;
  for (const list of [resources["limits"], resources["requests"]])
    if (isRaw(list)) for (const name of Object.keys(list)) canonicalize(list, name);
}
