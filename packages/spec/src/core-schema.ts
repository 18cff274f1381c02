// SPDX-License-Identifier: Apache-2.0

/**
 * The Kubernetes 1.32 container and Kruise's additions to it, as one table. It drives the text that is hashed
 * (order and {@link Emit}), type checks, the unknown-field warning and the schema of the CRD.
 * Order and `emit` are part of every stored hash: a changed line makes running pods not upgradable.
 */
export interface Struct {
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly emit: Emit;
}

export type ScalarType = "string" | "bool" | "int32" | "int64" | "quantity" | "intOrString";

export type FieldType = ScalarType | List | { readonly map: "string" | "quantity" } | Struct;

/**
 * `keys` identify an element, so that server-side apply merges the list. Only lists in which Kubernetes refuses
 * duplicates have them: env and ports may repeat an element, and the API server would refuse what Kruise accepts.
 */
export interface List {
  readonly list: FieldType;
  readonly keys?: readonly string[];
}

/**
 * When a field is written: `always` (an unset one as its zero value), `nonEmpty` (not when zero or empty),
 * `ifSet` (a pointer: zero values too, not when null), `nullable` (a pointer that is written as null).
 */
export type Emit = "always" | "nonEmpty" | "ifSet" | "nullable";

const struct = (...fields: Field[]): Struct => ({ fields });
const always = (name: string, type: FieldType = "string"): Field => ({ name, type, emit: "always" });
const nonEmpty = (name: string, type: FieldType = "string"): Field => ({ name, type, emit: "nonEmpty" });
const ifSet = (name: string, type: FieldType = "string"): Field => ({ name, type, emit: "ifSet" });
const nullable = (name: string, type: FieldType = "string"): Field => ({ name, type, emit: "nullable" });
const list = (of: FieldType, ...keys: string[]): List => (keys.length === 0 ? { list: of } : { list: of, keys });
const strings = list("string");

const fieldRef = struct(nonEmpty("apiVersion"), always("fieldPath"));
const reference = struct(nonEmpty("name"), ifSet("optional", "bool"));
const keyReference = struct(nonEmpty("name"), always("key"), ifSet("optional", "bool"));
const resourceFieldRef = struct(nonEmpty("containerName"), always("resource"), always("divisor", "quantity"));

const envVar = struct(
  always("name"),
  nonEmpty("value"),
  ifSet(
    "valueFrom",
    struct(
      ifSet("fieldRef", fieldRef),
      ifSet("resourceFieldRef", resourceFieldRef),
      ifSet("configMapKeyRef", keyReference),
      ifSet("secretKeyRef", keyReference),
    ),
  ),
);

const port = struct(
  nonEmpty("name"),
  nonEmpty("hostPort", "int32"),
  always("containerPort", "int32"),
  nonEmpty("protocol"),
  nonEmpty("hostIP"),
);

const resources = struct(
  nonEmpty("limits", { map: "quantity" }),
  nonEmpty("requests", { map: "quantity" }),
  nonEmpty("claims", list(struct(always("name"), nonEmpty("request")))),
);

const volumeMount = struct(
  always("name"),
  nonEmpty("readOnly", "bool"),
  ifSet("recursiveReadOnly"),
  always("mountPath"),
  nonEmpty("subPath"),
  ifSet("mountPropagation"),
  nonEmpty("subPathExpr"),
);

const handler = [
  ifSet("exec", struct(nonEmpty("command", strings))),
  ifSet(
    "httpGet",
    struct(
      nonEmpty("path"),
      always("port", "intOrString"),
      nonEmpty("host"),
      nonEmpty("scheme"),
      nonEmpty("httpHeaders", list(struct(always("name"), always("value")))),
    ),
  ),
  ifSet("tcpSocket", struct(always("port", "intOrString"), nonEmpty("host"))),
];

const probe = struct(
  ...handler,
  ifSet("grpc", struct(always("port", "int32"), nullable("service"))),
  nonEmpty("initialDelaySeconds", "int32"),
  nonEmpty("timeoutSeconds", "int32"),
  nonEmpty("periodSeconds", "int32"),
  nonEmpty("successThreshold", "int32"),
  nonEmpty("failureThreshold", "int32"),
  ifSet("terminationGracePeriodSeconds", "int64"),
);

const hook = struct(...handler, ifSet("sleep", struct(always("seconds", "int64"))));
const profile = struct(always("type"), ifSet("localhostProfile"));

const securityContext = struct(
  ifSet("capabilities", struct(nonEmpty("add", strings), nonEmpty("drop", strings))),
  ifSet("privileged", "bool"),
  ifSet("seLinuxOptions", struct(nonEmpty("user"), nonEmpty("role"), nonEmpty("type"), nonEmpty("level"))),
  ifSet(
    "windowsOptions",
    struct(
      ifSet("gmsaCredentialSpecName"),
      ifSet("gmsaCredentialSpec"),
      ifSet("runAsUserName"),
      ifSet("hostProcess", "bool"),
    ),
  ),
  ifSet("runAsUser", "int64"),
  ifSet("runAsGroup", "int64"),
  ifSet("runAsNonRoot", "bool"),
  ifSet("readOnlyRootFilesystem", "bool"),
  ifSet("allowPrivilegeEscalation", "bool"),
  ifSet("procMount"),
  ifSet("seccompProfile", profile),
  ifSet("appArmorProfile", profile),
);

const coreContainer = [
  always("name"),
  nonEmpty("image"),
  nonEmpty("command", strings),
  nonEmpty("args", strings),
  nonEmpty("workingDir"),
  nonEmpty("ports", list(port)),
  nonEmpty(
    "envFrom",
    list(struct(nonEmpty("prefix"), ifSet("configMapRef", reference), ifSet("secretRef", reference))),
  ),
  nonEmpty("env", list(envVar)),
  always("resources", resources),
  nonEmpty("resizePolicy", list(struct(always("resourceName"), always("restartPolicy")))),
  ifSet("restartPolicy"),
  nonEmpty("volumeMounts", list(volumeMount, "mountPath")),
  nonEmpty("volumeDevices", list(struct(always("name"), always("devicePath")), "devicePath")),
  ifSet("livenessProbe", probe),
  ifSet("readinessProbe", probe),
  ifSet("startupProbe", probe),
  ifSet("lifecycle", struct(ifSet("postStart", hook), ifSet("preStop", hook))),
  nonEmpty("terminationMessagePath"),
  nonEmpty("terminationMessagePolicy"),
  nonEmpty("imagePullPolicy"),
  ifSet("securityContext", securityContext),
  nonEmpty("stdin", "bool"),
  nonEmpty("stdinOnce", "bool"),
  nonEmpty("tty", "bool"),
];

const sharePolicy = struct(nonEmpty("type"));
const expressions = struct(nonEmpty("cpu"), nonEmpty("memory"));

/** One entry of `spec.containers` or `spec.initContainers`. */
export const sidecarContainerSchema: Struct = struct(
  ...coreContainer,
  nonEmpty("podInjectPolicy"),
  always("upgradeStrategy", struct(nonEmpty("upgradeType"), nonEmpty("hotUpgradeEmptyImage"))),
  always("shareVolumePolicy", sharePolicy),
  ifSet("shareVolumeDevicePolicy", sharePolicy),
  nonEmpty(
    "transferEnv",
    list(
      struct(
        nonEmpty("sourceContainerName"),
        ifSet("sourceContainerNameFrom", struct(ifSet("fieldRef", fieldRef))),
        nonEmpty("envName"),
        nonEmpty("envNames", strings),
      ),
    ),
  ),
  ifSet(
    "resourcesPolicy",
    struct(
      always("targetContainersMode"),
      nonEmpty("targetContainersNameRegex"),
      always("resourcesExpr", struct(ifSet("limits", expressions), ifSet("requests", expressions))),
    ),
  ),
);
