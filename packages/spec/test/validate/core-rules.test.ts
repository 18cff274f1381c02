// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { defaultSidecarSet, validateSidecarSet } from "../../src/index.ts";

/** Type and field of every fault of a defaulted SidecarSet with one container `c`. */
function faults(container: object, spec: object = {}): string[] {
  const containers = [{ name: "c", image: "img:1", ...container }];
  const raw = { metadata: { name: "ss" }, spec: { selector: { matchLabels: { app: "x" } }, containers, ...spec } };
  const { object } = defaultSidecarSet(raw, "v1beta1");
  return validateSidecarSet({ operation: "CREATE", object }).errors.map(
    ({ type, field }) => `${type.replace("FieldValue", "")} ${field.replace("spec.containers[0].", "")}`,
  );
}

const env = (valueFrom: object) => ({ env: [{ name: "A", valueFrom }] });
const probe = (fields: object) => ({ livenessProbe: { exec: { command: ["x"] }, ...fields } });
const mount = (fields: object) => ({ volumeMounts: [{ name: "v", mountPath: "/v", ...fields }] });
const volumes = { volumes: [{ name: "v", emptyDir: {} }] };

describe("a container, as Kubernetes judges it", () => {
  it.each<[string, object, string[]]>([
    ["ports", { ports: [{ containerPort: 65536 }] }, ["Invalid ports[0].containerPort"]],
    ["port names", { ports: [{ name: "no_way", containerPort: 1 }] }, ["Invalid ports[0].name"]],
    [
      "port names twice",
      {
        ports: [
          { name: "a", containerPort: 1 },
          { name: "a", containerPort: 2 },
        ],
      },
      ["Duplicate ports[1].name"],
    ],
    ["protocols", { ports: [{ containerPort: 1, protocol: "tcp" }] }, ["NotSupported ports[0].protocol"]],
    ["env names", { env: [{ name: "A=B" }] }, ["Invalid env[0].name"]],
    ["env without name", { env: [{ value: "x" }] }, ["Required env[0].name"]],
    [
      "two sources of an env",
      env({ fieldRef: { fieldPath: "metadata.name" }, secretKeyRef: { name: "s", key: "k" } }),
      ["Invalid env[0].valueFrom"],
    ],
    [
      "labels as a whole in env",
      env({ fieldRef: { fieldPath: "metadata.labels" } }),
      ["NotSupported env[0].valueFrom.fieldRef.fieldPath"],
    ],
    ["one annotation in env", env({ fieldRef: { fieldPath: "metadata.annotations['a.b/C']" } }), []],
    [
      "divisors",
      env({ resourceFieldRef: { resource: "limits.cpu", divisor: "1k" } }),
      ["Invalid env[0].valueFrom.resourceFieldRef.divisor"],
    ],
    [
      "resources of env",
      env({ resourceFieldRef: { resource: "limits.disk" } }),
      ["NotSupported env[0].valueFrom.resourceFieldRef.resource"],
    ],
    ["secret keys", env({ secretKeyRef: { name: "s", key: "a/b" } }), ["Invalid env[0].valueFrom.secretKeyRef.key"]],
    [
      "secret keys outside",
      env({ secretKeyRef: { name: "s", key: "..x" } }),
      ["Invalid env[0].valueFrom.secretKeyRef.key"],
    ],
    ["message policies", { terminationMessagePolicy: "Log" }, ["NotSupported terminationMessagePolicy"]],
    ["an unmasked /proc", { securityContext: { procMount: "Unmasked" } }, ["Invalid securityContext.procMount"]],
    [
      "profiles outside",
      { securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "../x" } } },
      ["Invalid securityContext.seccompProfile.localhostProfile"],
    ],
    ["envFrom without source", { envFrom: [{ prefix: "P_" }] }, ["Invalid envFrom"]],
    ["probes without handler", { livenessProbe: {} }, ["Required livenessProbe"]],
    ["empty commands", probe({ exec: {} }), ["Required livenessProbe.exec.command"]],
    ["negative times", probe({ periodSeconds: -1 }), ["Invalid livenessProbe.periodSeconds"]],
    ["success thresholds", probe({ successThreshold: 2 }), ["Invalid livenessProbe.successThreshold"]],
    ["a startupProbe as it is written", { startupProbe: { httpGet: { port: 80 } } }, []],
    [
      "the grace period of a readinessProbe",
      { readinessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 5 } },
      ["Invalid readinessProbe.terminationGracePeriodSeconds"],
    ],
    ["probe ports", { readinessProbe: { tcpSocket: { port: "UPPER" } } }, ["Invalid readinessProbe.tcpSocket.port"]],
    [
      "schemes",
      { lifecycle: { preStop: { httpGet: { port: 1, scheme: "http" } } } },
      ["NotSupported lifecycle.preStop.httpGet.scheme"],
    ],
    ["a long sleep, whose bound is the pod's", { lifecycle: { preStop: { sleep: { seconds: 300 } } } }, []],
    ["hooks without handler", { lifecycle: { postStart: {} } }, ["Required lifecycle.postStart"]],
    [
      "requests above limits",
      { resources: { limits: { memory: "1G" }, requests: { memory: "1Gi" } } },
      ["Invalid resources.requests"],
    ],
    [
      "requests equal to limits in another text",
      { resources: { limits: { cpu: "1" }, requests: { cpu: "1000m" } } },
      [],
    ],
    ["negative quantities", { resources: { limits: { cpu: "-1" } } }, ["Invalid resources.limits[cpu]"]],
    ["parts of devices", { resources: { limits: { "x.io/gpu": "500m" } } }, ["Invalid resources.limits[x.io/gpu]"]],
    ["huge pages alone", { resources: { limits: { "hugepages-2Mi": "2Mi" } } }, ["Forbidden resources"]],
    [
      "mount paths twice",
      { volumeMounts: [mount({}), mount({})].map(({ volumeMounts: [entry] }) => entry) },
      ["Invalid volumeMounts[1].mountPath"],
    ],
    ["absolute sub-paths", mount({ subPath: "/etc" }), ["Invalid volumeMounts[0].subPath"]],
    [
      "bidirectional mounts",
      mount({ mountPropagation: "Bidirectional" }),
      ["Invalid volumeMounts[0].mountPropagation"],
    ],
    [
      "profiles",
      { securityContext: { seccompProfile: { type: "Localhost" } } },
      ["Required securityContext.seccompProfile.localhostProfile"],
    ],
    ["users", { securityContext: { runAsUser: -1 } }, ["Invalid securityContext.runAsUser"]],
  ])("%s", (_, container, expected) => expect(faults(container, volumes)).toEqual(expected));

  it("takes a host port once among all containers", () => {
    const ports = [{ containerPort: 1, hostPort: 9 }];
    const containers = [
      { name: "a", image: "i:1", ports },
      { name: "b", image: "i:1", ports },
    ];
    expect(faults({}, { containers })).toEqual(["Duplicate spec.containers[1].ports[0].hostPort"]);
  });

  it("lets a plain init container have neither probes nor hooks nor a resize policy", () => {
    const resizePolicy = [{ resourceName: "cpu", restartPolicy: "NotRequired" }];
    const init = { name: "i", image: "i:1", ...probe({}), lifecycle: {}, resizePolicy };
    expect(faults({}, { initContainers: [init] })).toEqual([
      "Forbidden spec.initContainers[0].livenessProbe",
      "Forbidden spec.initContainers[0].lifecycle",
      "Invalid spec.initContainers[0].resizePolicy",
    ]);
  });
});

describe("a volume, as Kubernetes judges it", () => {
  it.each<[string, object, string[]]>([
    ["secret without name", { secret: {} }, ["Required spec.volumes[0].secret.secretName"]],
    ["host paths upwards", { hostPath: { path: "/a/../b" } }, ["Invalid spec.volumes[0].hostPath.path"]],
    [
      "types of host paths",
      { hostPath: { path: "/a", type: "Folder" } },
      ["NotSupported spec.volumes[0].hostPath.type"],
    ],
    ["negative sizes", { emptyDir: { sizeLimit: "-1" } }, ["Invalid spec.volumes[0].emptyDir.sizeLimit"]],
    ["modes", { configMap: { name: "c", defaultMode: 512 } }, ["Invalid spec.volumes[0].configMap.defaultMode"]],
    [
      "items without key",
      { configMap: { name: "c", items: [{ path: "p" }] } },
      ["Required spec.volumes[0].configMap.items[0].key"],
    ],
    [
      "node names as a file",
      { downwardAPI: { items: [{ path: "n", fieldRef: { fieldPath: "spec.nodeName" } }] } },
      ["NotSupported spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath"],
    ],
    ["labels as a file", { downwardAPI: { items: [{ path: "n", fieldRef: { fieldPath: "metadata.labels" } }] } }, []],
    [
      "short-lived tokens",
      { projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 60 } }] } },
      ["Invalid spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds"],
    ],
  ])("%s", (_, source, expected) => expect(faults({}, { volumes: [{ name: "v", ...source }] })).toEqual(expected));

  it("has a name of its own", () => {
    const twice = [
      { name: "v", emptyDir: {} },
      { name: "v", emptyDir: {} },
    ];
    expect(faults({}, { volumes: twice })).toEqual(["Duplicate spec.volumes[1].name"]);
  });
});

describe("resourcesPolicy", () => {
  const policy = (fields: object, resources = {}) => ({
    resources,
    resourcesPolicy: {
      targetContainersMode: "sum",
      targetContainersNameRegex: ".*",
      resourcesExpr: { limits: { cpu: "max(cpu*50%, 50m)", memory: "0.5*memory + max(0, memory-2Gi)" } },
      ...fields,
    },
  });
  const limits = (cpu: string) => policy({ resourcesExpr: { limits: { cpu } } });
  const at = "Invalid resourcesPolicy.resourcesExpr.limits.cpu";

  it.each<[string, object, string[]]>([
    ["the article of the reference", policy({}), []],
    ["beside resources", policy({}, { limits: { cpu: "1" } }), ["Invalid resourcesPolicy"]],
    ["a bad regex", policy({ targetContainersNameRegex: "a(" }), ["Invalid resourcesPolicy.targetContainersNameRegex"]],
    ["no expressions", policy({ resourcesExpr: {} }), ["Invalid resourcesPolicy.resourcesExpr"]],
    ["a subtraction that is positive for some pods", limits("cpu-2"), []],
    ["an unfinished expression", limits("cpu+"), [at]],
    ["another field's variable", limits("memory"), [at]],
    ["an unknown function", limits("abs(cpu)"), [at]],
    ["one argument", limits("max(cpu)"), [at]],
    ["two quantities multiplied", limits("cpu*100m"), [at]],
    ["a quantity as divisor", limits("1/cpu"), [at]],
    ["zero as divisor", limits("cpu/(1-1)"), [at]],
    ["an unknown unit", limits("100X"), [at]],
    ["an exponent with a unit", limits("1e5Ki"), [at]],
    ["a negative constant", limits("1Mi-1Gi"), [at]],
    ["blanks", limits(" "), [at]],
    ["deep nesting", limits("(".repeat(5000)), [at]],
  ])("%s", (_, container, expected) => expect(faults(container)).toEqual(expected));
});

describe("devices", () => {
  const volumes = [
    { name: "dir", emptyDir: {} },
    { name: "claim", persistentVolumeClaim: { claimName: "c" } },
  ];
  const devices = (...volumeDevices: object[]) => ({ volumeDevices });

  it.each<[string, object, string[]]>([
    ["of a claim", devices({ name: "claim", devicePath: "/dev/a" }), []],
    ["of a directory", devices({ name: "dir", devicePath: "/dev/a" }), ["Invalid volumeDevices[0].name"]],
    ["that go up", devices({ name: "claim", devicePath: "/dev/../a" }), ["Invalid volumeDevices[0].devicePath"]],
    [
      "of a volume that is used already",
      devices({ name: "claim", devicePath: "/dev/a" }, { name: "claim", devicePath: "/dev/b" }),
      ["Invalid volumeDevices[1].name"],
    ],
    [
      "at the path of a mount",
      { volumeMounts: [{ name: "dir", mountPath: "/a" }], ...devices({ name: "claim", devicePath: "/a" }) },
      ["Invalid volumeDevices[0].devicePath"],
    ],
  ])("%s", (_, container, expected) => {
    expect(faults(container, { volumes })).toEqual(expected);
  });
});

it("host ports of an init container are its own, and taken once in it", () => {
  const port = { containerPort: 1, hostPort: 1 };
  const init = (name: string, ...ports: object[]) => ({ name, image: "i:1", ports });
  expect(faults({}, { initContainers: [init("a", port), init("b", port)] })).toEqual([]);
  expect(faults({}, { initContainers: [init("a"), init("b", port, port)] })).toEqual([
    "Duplicate spec.initContainers[1].ports[1].hostPort",
  ]);
});

it("annotations have 256 KiB together, as everywhere in Kubernetes", () => {
  const object = { metadata: { name: "ss", annotations: { a: "ü".repeat(128 * 1024) } }, spec: {} };
  const { errors } = validateSidecarSet({ operation: "CREATE", object });
  expect(errors).toContainEqual(
    expect.objectContaining({ code: "HOT3006", type: "FieldValueTooLong", field: "metadata.annotations" }),
  );
});
