// SPDX-License-Identifier: Apache-2.0
import { isRaw, rawEntries, type Raw } from "../defaults/raw.ts";
import { forbidden, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { dnsSubdomainProblem } from "../label-name.ts";
import { parseQuantity } from "../quantity.ts";
import { validateFieldRef, validateResourceFieldRef } from "./field-ref.ts";

const MAX_MODE = 0o777;
const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;
const HOST_PATH_TYPES = "|DirectoryOrCreate|Directory|FileOrCreate|File|Socket|CharDevice|BlockDevice".split("|");
/** Members without which Kubernetes refuses a source. */
const REQUIRED_MEMBERS: Record<string, readonly string[]> = {
  hostPath: ["path"],
  secret: ["secretName"],
  configMap: ["name"],
  nfs: ["server", "path"],
  persistentVolumeClaim: ["claimName"],
  csi: ["driver"],
  flexVolume: ["driver"],
  iscsi: ["targetPortal", "iqn"],
  ephemeral: ["volumeClaimTemplate"],
  azureFile: ["secretName", "shareName"],
  azureDisk: ["diskName", "diskURI"],
  gitRepo: ["repository"],
  cephfs: ["monitors"],
  rbd: ["monitors", "image"],
  glusterfs: ["endpoints", "path"],
  gcePersistentDisk: ["pdName"],
  awsElasticBlockStore: ["volumeID"],
  cinder: ["volumeID"],
  vsphereVolume: ["volumePath"],
  quobyte: ["registry", "volume"],
  photonPersistentDisk: ["pdID"],
  portworxVolume: ["volumeID"],
  scaleIO: ["gateway", "system", "volumeName"],
  storageos: ["volumeName"],
  image: ["reference"],
};
const IQN = /^(?:iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(?::[^\s,]+)?|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{32})$/;
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const PARTITIONED = new Set(["gcePersistentDisk", "awsElasticBlockStore"]);

/** One source of a volume, by the rules with which a pod create judges it. */
export function* validateVolumeSource(name: string, source: Raw, path: string): FieldErrors {
  for (const member of REQUIRED_MEMBERS[name] ?? []) if (isUnset(source[member])) yield required(`${path}.${member}`);
  if (name === "hostPath" && typeof source["path"] === "string" && source["path"].split("/").includes(".."))
    yield invalid(`${path}.path`, source["path"], "It must not contain '..'.");
  const limit = source["sizeLimit"];
  const quantity = typeof limit === "string" || typeof limit === "number" ? parseQuantity(limit) : undefined;
  if (limit !== undefined && (!quantity || quantity.mantissa < 0n))
    yield invalid(`${path}.sizeLimit`, limit, "It must be a quantity of at least 0.");
  yield* validateMode(source["defaultMode"], `${path}.defaultMode`);
  const hostType = name === "hostPath" ? source["type"] : undefined;
  if (typeof hostType === "string" && !HOST_PATH_TYPES.includes(hostType))
    yield notSupported(`${path}.type`, hostType, HOST_PATH_TYPES.slice(1));
  if (["secret", "configMap", "downwardAPI"].includes(name)) yield* validateItems(name, source["items"], path);
  if (name === "projected") yield* validateProjected(source["sources"], path);
  yield* validateBackend(name, source, path);
}

/** What single kinds of storage ask for besides their required members. */
function* validateBackend(name: string, source: Raw, path: string): FieldErrors {
  const text = (member: string): string => (typeof source[member] === "string" ? source[member] : "");
  if (name === "nfs" && text("path") !== "" && !text("path").startsWith("/"))
    yield invalid(`${path}.path`, source["path"], "It must be an absolute path.");
  if (name === "gitRepo" && (text("directory").startsWith("/") || text("directory").split("/").includes("..")))
    yield invalid(`${path}.directory`, source["directory"], "It must be a relative path without '..'.");
  if (name === "iscsi" && text("iqn") !== "" && !IQN.test(text("iqn")))
    yield invalid(`${path}.iqn`, source["iqn"], "It must begin with iqn, eui or naa and have that name's form.");
  if (name === "flocker" && isUnset(source["datasetName"]) === isUnset(source["datasetUUID"]))
    yield required(path, "It needs one of datasetName and datasetUUID.", "Set one of the two.");
  if (name === "fc" && isUnset(source["targetWWNs"]) === isUnset(source["wwids"]))
    yield required(`${path}.targetWWNs`, "It needs one of targetWWNs and wwids.", "Set one of the two.");
  if (name === "image" && text("pullPolicy") !== "" && !PULL_POLICIES.includes(text("pullPolicy")))
    yield notSupported(`${path}.pullPolicy`, source["pullPolicy"], PULL_POLICIES);
  const partition = source["partition"];
  if (PARTITIONED.has(name) && typeof partition === "number" && (partition < 0 || partition > 255))
    yield invalid(`${path}.partition`, partition, "It must be from 1 to 255.");
  if (name === "csi" && text("driver") !== "" && dnsSubdomainProblem(text("driver").toLowerCase()) !== undefined)
    yield invalid(`${path}.driver`, source["driver"], "It must be the name of a driver, such as csi.example.com.");
  const secret = source["nodePublishSecretRef"];
  if (name === "csi" && isRaw(secret) && isUnset(secret["name"])) yield required(`${path}.nodePublishSecretRef.name`);
  if (name === "ephemeral" && isRaw(source["volumeClaimTemplate"]))
    yield* validateClaim(source["volumeClaimTemplate"], `${path}.volumeClaimTemplate.spec`);
}

function* validateClaim({ spec }: Raw, path: string): FieldErrors {
  const claim = isRaw(spec) ? spec : {};
  if (isUnset(claim["accessModes"])) yield required(`${path}.accessModes`);
  const resources = isRaw(claim["resources"]) ? claim["resources"] : {};
  if (!isRaw(resources["requests"]) || isUnset(resources["requests"]["storage"]))
    yield required(`${path}.resources.requests.storage`);
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

function* validateMode(mode: unknown, path: string): FieldErrors {
  if (mode !== undefined && !(Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= MAX_MODE))
    yield invalid(path, mode, "It must be from 0 to 0777.");
}

function* validateItems(name: string, items: unknown, path: string): FieldErrors {
  for (const [index, item] of rawEntries(items)) {
    const at = `${path}.items[${index}]`;
    const { path: file, key } = item;
    if (typeof file !== "string" || file === "") yield required(`${at}.path`);
    else if (file.startsWith("/") || file.startsWith("..") || file.split("/").includes(".."))
      yield invalid(
        `${at}.path`,
        file,
        "It must be a relative path that neither begins with '..' nor has it in between.",
      );
    yield* validateMode(item["mode"], `${at}.mode`);
    if (name !== "downwardAPI") {
      if (typeof key !== "string" || key === "") yield required(`${at}.key`);
      continue;
    }
    const { fieldRef, resourceFieldRef } = item;
    if (isRaw(fieldRef) && isRaw(resourceFieldRef))
      yield invalid(at, item, "fieldRef and resourceFieldRef exclude each other.", "Remove one of the two.");
    if (isRaw(fieldRef)) yield* validateFieldRef(fieldRef, "file", `${at}.fieldRef`);
    else if (!isRaw(resourceFieldRef)) yield required(`${at}.fieldRef`);
    else if (!resourceFieldRef["containerName"]) yield required(`${at}.resourceFieldRef.containerName`);
    else yield* validateResourceFieldRef(resourceFieldRef, `${at}.resourceFieldRef`);
  }
}

function* validateProjected(sources: unknown, path: string): FieldErrors {
  const files = new Set<string>();
  for (const [index, source] of rawEntries(sources)) {
    const kinds = Object.keys(source).filter((name) => isRaw(source[name]));
    for (const extra of kinds.slice(1))
      yield forbidden(`${path}.sources[${index}]`, source[extra], `A source is of one kind, and ${kinds[0]} is set.`);
    for (const [name, projection] of Object.entries(source)) {
      if (!isRaw(projection)) continue;
      const at = `${path}.sources[${index}].${name}`;
      if ((name === "secret" || name === "configMap") && !projection["name"]) yield required(`${at}.name`);
      if (["secret", "configMap", "downwardAPI"].includes(name)) yield* validateItems(name, projection["items"], at);
      for (const file of filesOf(projection)) {
        if (files.has(file))
          yield invalid(path, file, "Two sources have a file at this path.", "Use another path for one of them.");
        files.add(file);
      }
      if (name !== "serviceAccountToken") continue;
      const { expirationSeconds: seconds, path: file } = projection;
      if (typeof file !== "string" || file === "") yield required(`${at}.path`);
      else if (file.startsWith("/") || file.split("/").includes(".."))
        yield invalid(`${at}.path`, file, "It must be a relative path without '..'.");
      if (typeof seconds === "number" && (seconds < MIN_TOKEN_SECONDS || seconds > MAX_TOKEN_SECONDS))
        yield invalid(
          `${at}.expirationSeconds`,
          seconds,
          `It must be from ${MIN_TOKEN_SECONDS} to ${MAX_TOKEN_SECONDS}.`,
        );
    }
  }
}

/** Paths that one projection writes. */
function filesOf({ items, path }: Raw): string[] {
  const files = rawEntries(items).map(([, item]) => item["path"]);
  return [...files, path].filter((file) => typeof file === "string" && file !== "") as string[];
}
