// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  defaultSidecarSet,
  fieldErrorMessage,
  toInvalidStatus,
  toStatusCauses,
  validateSidecarSet,
  type SidecarSet,
  type ValidationInput,
} from "../src/index.ts";

/** A defaulted SidecarSet with one container `c`. */
function sidecarSet(container: object = {}, spec: object = {}, name = "ss"): SidecarSet {
  const containers = [{ name: "c", image: "img:1", ...container }];
  const raw = { metadata: { name }, spec: { selector: { matchLabels: { app: "x" } }, containers, ...spec } };
  return defaultSidecarSet(raw, "v1beta1").object;
}

const validate = (object: unknown, rest: Partial<ValidationInput> = {}) =>
  validateSidecarSet({ operation: "CREATE", object, ...rest });
const faults = (object: unknown, rest?: Partial<ValidationInput>) =>
  validate(object, rest).errors.map(({ code, type, field }) => `${code} ${type} ${field}`);
const codes = (warnings: string[]) => warnings.map((line) => /\((HOT\d+)\)$/.exec(line)?.[1]);

const hot = { upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty:1" } };
const proof = { readinessProbe: { exec: { command: ["hot-standby", "probe"] } } };
const at = "spec.containers[0]";

describe("a hot container", () => {
  it("is accepted without a word when it has a fixed empty image and an exec readinessProbe", () => {
    expect(validate(sidecarSet({ ...hot, ...proof }))).toEqual({ errors: [], warnings: [] });
  });

  it.each<[string, object, string[]]>([
    [
      "without empty image",
      { upgradeStrategy: { upgradeType: "HotUpgrade" } },
      [`HOT3201 FieldValueRequired ${at}.upgradeStrategy.hotUpgradeEmptyImage`],
    ],
    [
      "with its own image as empty image",
      { ...hot, image: "empty:1" },
      [`HOT3202 FieldValueInvalid ${at}.upgradeStrategy.hotUpgradeEmptyImage`],
    ],
    ["with a name of 62 characters", { ...hot, name: "a".repeat(62) }, [`HOT3203 FieldValueTooLong ${at}.name`]],
    [
      "with an env that injection sets",
      { ...hot, env: [{ name: "SIDECARSET_VERSION", value: "1" }] },
      [`HOT3205 FieldValueForbidden ${at}.env[0].name`],
    ],
    [
      "with a host port, which both sides would take",
      { ...hot, ports: [{ containerPort: 80, hostPort: 80 }] },
      [`HOT3007 FieldValueForbidden ${at}.ports[0].hostPort`],
    ],
    [
      "with an unknown upgrade type",
      { upgradeStrategy: { upgradeType: "Warm" } },
      [`HOT3004 FieldValueNotSupported ${at}.upgradeStrategy.upgradeType`],
    ],
  ])("%s is refused", (_, container, expected) => expect(faults(sidecarSet(container))).toEqual(expected));

  it("is accepted with a name of 61 characters", () => {
    expect(faults(sidecarSet({ ...hot, name: "a".repeat(61) }))).toEqual([]);
  });

  it("is refused when another container has a name of its pair", () => {
    const containers = [
      { name: "c", image: "img:1", ...hot },
      { name: "c-2", image: "img:1" },
    ];
    expect(faults(sidecarSet({}, { containers }))).toEqual([`HOT3204 FieldValueDuplicate ${at}.name`]);
  });

  it("is refused as a native sidecar", () => {
    const initContainers = [{ name: "n", image: "img:1", restartPolicy: "Always", ...hot }];
    expect(faults(sidecarSet({}, { initContainers, updateStrategy: { type: "NotUpdate" } }))).toEqual([
      "HOT3206 FieldValueForbidden spec.initContainers[0].upgradeStrategy.upgradeType",
    ]);
  });
});

describe("warnings", () => {
  it.each<[string, object, string[]]>([
    ["no probe", hot, ["HOT3903"]],
    ["a startupProbe alone", { ...hot, startupProbe: { exec: { command: ["x"] } } }, ["HOT3903"]],
    ["an HTTP probe, which either side may answer", { ...hot, readinessProbe: { httpGet: { port: 80 } } }, ["HOT3903"]],
    ["pull policy Always", { ...hot, ...proof, imagePullPolicy: "Always" }, ["HOT3904"]],
    [
      "image and empty image without tag",
      {
        ...proof,
        image: "img",
        upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty" },
      },
      ["HOT3904", "HOT3905"],
    ],
    ["nothing, for a cold container", { imagePullPolicy: "Always" }, []],
  ])("on %s", (_, container, expected) => expect(codes(validate(sidecarSet(container)).warnings)).toEqual(expected));

  it("say when the pull policy changes by the tag alone", () => {
    const [object, oldObject] = [sidecarSet({ image: "nginx:1.21" }), sidecarSet({ image: "nginx" })];
    expect(codes(validate(object, { operation: "UPDATE", oldObject }).warnings)).toEqual(["HOT3906"]);
  });

  it("say that a namespace displaces the namespaceSelector", () => {
    const spec = { namespace: "a", namespaceSelector: { matchLabels: { b: "c" } } };
    const object = { ...sidecarSet({}, spec), apiVersion: "apps.kruise.io/v1alpha1" };
    expect(codes(validate(object).warnings)).toEqual(["HOT3907"]);
  });

  it("name SidecarSets that have the name of a container in their init containers, which Kruise does not compare", () => {
    const initContainers = [{ name: "c", image: "init:1" }];
    const containers = [{ name: "other", image: "img:1" }];
    const others = [sidecarSet({}, { initContainers, containers }, "other")];
    const { errors, warnings } = validate(sidecarSet(), { otherSidecarSets: others });
    expect([errors, warnings]).toEqual([[], [expect.stringMatching(/^SidecarSet other: .*HOT3909\)$/)]]);
    const elsewhere = sidecarSet({}, { selector: { matchLabels: { app: "y" } } });
    expect(validate(elsewhere, { otherSidecarSets: others }).warnings).toEqual([]);
  });

  it("name SidecarSets whose selectors Kruise wrongly takes for disjoint", () => {
    const others = [sidecarSet({}, { selector: { matchExpressions: [{ key: "b", operator: "Exists" }] } }, "other")];
    const { errors, warnings } = validate(sidecarSet(), { otherSidecarSets: others });
    expect([errors, codes(warnings)]).toEqual([[], ["HOT3909"]]);
  });
});

describe("the SidecarSet of the article that made hot upgrades known", () => {
  it("is accepted as printed, with two warnings", () => {
    const raw = {
      apiVersion: "apps.kruise.io/v1alpha1",
      kind: "SidecarSet",
      metadata: { name: "hotupgrade-sidecarset" },
      spec: {
        selector: { matchLabels: { app: "hotupgrade" } },
        containers: [
          {
            name: "sidecar",
            image: "openkruise/hotupgrade-sample:sidecarv1",
            lifecycle: { postStart: { exec: { command: ["/bin/sh", "/migrate.sh"] } } },
            upgradeStrategy: { upgradeType: "HotUpgrade" },
            hotUpgradeEmptyImage: "openkruise/hotupgrade-sample:empty",
          },
        ],
      },
    };
    const { object, warnings } = defaultSidecarSet(raw, "v1alpha1");
    const validated = validate(object);
    expect(validated.errors).toEqual([]);
    expect(codes([...warnings, ...validated.warnings])).toEqual(["HOT3902", "HOT3903"]);
  });
});

describe("the update strategy", () => {
  it.each<[object, string[]]>([
    [{ type: "Foo" }, ["HOT3004 FieldValueNotSupported spec.updateStrategy.type"]],
    [{ partition: "10" }, ["HOT3302 FieldValueInvalid spec.updateStrategy.partition"]],
    [{ maxUnavailable: -1 }, ["HOT3302 FieldValueInvalid spec.updateStrategy.maxUnavailable"]],
    [{ partition: 1, selector: { matchLabels: { a: "b" } } }, ["HOT3301 FieldValueRequired spec.updateStrategy"]],
    [
      { hotUpgrade: { failureThreshold: 0 } },
      ["HOT3003 FieldValueInvalid spec.updateStrategy.hotUpgrade.failureThreshold"],
    ],
    [
      { hotUpgrade: { failureThreshold: "0%" } },
      ["HOT3003 FieldValueInvalid spec.updateStrategy.hotUpgrade.failureThreshold"],
    ],
    [{ hotUpgrade: { failureThreshold: "10%", onFailure: "Wait", minReadySeconds: 0 } }, []],
    [{ hotUpgrade: { newPodsWhenStalled: "LastGood" } }, []],
    [
      { hotUpgrade: { newPodsWhenStalled: "Oldest" } },
      ["HOT3004 FieldValueNotSupported spec.updateStrategy.hotUpgrade.newPodsWhenStalled"],
    ],
    [
      { hotUpgrade: { progressDeadlineSeconds: 0, onFailure: "Retry", minReadySeconds: -1, failureThreshold: "x" } },
      [
        "HOT3003 FieldValueInvalid spec.updateStrategy.hotUpgrade.progressDeadlineSeconds",
        "HOT3003 FieldValueInvalid spec.updateStrategy.hotUpgrade.minReadySeconds",
        "HOT3004 FieldValueNotSupported spec.updateStrategy.hotUpgrade.onFailure",
        "HOT3302 FieldValueInvalid spec.updateStrategy.hotUpgrade.failureThreshold",
      ],
    ],
  ])("%j: %j", (updateStrategy, expected) => expect(faults(sidecarSet({}, { updateStrategy }))).toEqual(expected));
});

describe("an update", () => {
  const update = (object: SidecarSet, oldObject: SidecarSet) => faults(object, { operation: "UPDATE", oldObject });

  it("may change images, the empty image and selectors", () => {
    const next = {
      ...hot,
      upgradeStrategy: { ...hot.upgradeStrategy, hotUpgradeEmptyImage: "empty:2" },
      image: "img:2",
    };
    expect(update(sidecarSet(next, { selector: { matchLabels: { z: "z" } } }), sidecarSet(hot))).toEqual([]);
  });

  it("may not change the upgrade type nor add a container", () => {
    expect(update(sidecarSet(), sidecarSet(hot))).toEqual([
      `HOT3401 FieldValueInvalid ${at}.upgradeStrategy.upgradeType`,
    ]);
    expect(update(sidecarSet({ name: "d" }), sidecarSet())).toEqual([`HOT3402 FieldValueInvalid ${at}.name`]);
  });
});

describe("other SidecarSets", () => {
  const others = (...list: SidecarSet[]) => ({ otherSidecarSets: list });
  const annotations = {
    "apps.kruise.io/sidecarset-canary": "true",
    "apps.kruise.io/sidecarset-base": "base",
  };
  const canary = (name: string): SidecarSet => {
    const object = sidecarSet({}, { updateStrategy: { type: "NotUpdate" } }, name);
    return { ...object, metadata: { ...object.metadata, annotations } };
  };

  it("that can select the same pods may not have the same container, nor one of a hot pair", () => {
    const conflict = [`HOT3403 FieldValueInvalid ${at}.name`];
    expect(faults(sidecarSet(), others(sidecarSet({}, {}, "other")))).toEqual(conflict);
    expect(faults(sidecarSet(hot), others(sidecarSet({ name: "c-1" }, {}, "other")))).toEqual(conflict);
    expect(faults(sidecarSet({ name: "c-1" }), others(sidecarSet(hot, {}, "other")))).toEqual(conflict);
  });

  it("with other pods or other names are no matter", () => {
    const elsewhere = sidecarSet({}, { selector: { matchLabels: { app: "y" } } }, "other");
    expect(faults(sidecarSet(), others(elsewhere, sidecarSet({ name: "d" }, {}, "third")))).toEqual([]);
  });

  it("may be canary and base of each other, whichever is written", () => {
    expect(faults(canary("can"), others(sidecarSet({}, {}, "base")))).toEqual([]);
    expect(faults(sidecarSet({}, {}, "base"), others(canary("can")))).toEqual([]);
  });
});

describe("faults", () => {
  it("are all returned at once, in the order of the object", () => {
    const object = sidecarSet(
      { name: "Bad_Name", image: "", ports: [{ containerPort: 0 }], volumeMounts: [{ name: "v", mountPath: "/v" }] },
      { selector: {}, updateStrategy: { partition: "x" } },
      "a.b",
    );
    expect(faults(object)).toEqual([
      "HOT3003 FieldValueInvalid metadata.name",
      "HOT3010 FieldValueInvalid spec.selector",
      `HOT3003 FieldValueInvalid ${at}.name`,
      `HOT3002 FieldValueRequired ${at}.image`,
      `HOT3002 FieldValueRequired ${at}.ports[0].containerPort`,
      `HOT3102 FieldValueNotFound ${at}.volumeMounts[0].name`,
      "HOT3302 FieldValueInvalid spec.updateStrategy.partition",
    ]);
  });

  it("of type are reported alone, because the rules can't judge such an object", () => {
    const object = { metadata: { name: 5 }, spec: { containers: [{ name: "c", tty: "yes" }, null], selector: [] } };
    expect(faults(object)).toEqual([
      "HOT3001 FieldValueTypeInvalid metadata.name",
      `HOT3001 FieldValueTypeInvalid ${at}.tty`,
      "HOT3001 FieldValueTypeInvalid spec.selector",
      "HOT3001 FieldValueTypeInvalid spec.containers[1]",
    ]);
  });

  it("become causes of a Status, each with what, why, how and code", () => {
    const { errors } = validate(sidecarSet({ imagePullPolicy: "Sometimes" }));
    expect(toStatusCauses(errors)).toEqual([
      {
        reason: "FieldValueNotSupported",
        field: `${at}.imagePullPolicy`,
        message:
          '"Sometimes": The field\'s value is not one of the supported ones. Use Always, IfNotPresent or Never. (HOT3004)',
      },
    ]);
  });

  it("become the Status of a refusal, with every fault in its message", () => {
    const { errors } = validate(sidecarSet({ imagePullPolicy: "Sometimes", image: "" }));
    expect(toInvalidStatus("ss", errors)).toEqual({
      code: 422,
      reason: "Invalid",
      message: expect.stringMatching(
        /^SidecarSet "ss" is invalid: 2 faults:\n\* spec.*HOT3002\)\n\* spec.*HOT3004\)$/,
      ) as string,
      details: { name: "ss", group: "apps.kruise.io", kind: "SidecarSet", causes: toStatusCauses(errors) },
    });
    expect(toInvalidStatus("ss", errors.slice(0, 1)).message).toMatch(/^SidecarSet "ss" is invalid: spec.*HOT3002\)$/);
  });

  it("show a long value only in part", () => {
    const { errors } = validate(sidecarSet({ imagePullPolicy: "x".repeat(1000) }));
    expect(fieldErrorMessage(errors[0]!).length).toBeLessThan(250);
  });
});

describe("an update that leaves pods behind", () => {
  const warnings = (object: SidecarSet, oldObject: SidecarSet) =>
    codes(validate(object, { operation: "UPDATE", oldObject }).warnings);
  const other = { name: "d", image: "img:1" };

  it("is accepted with a warning for the selector and for each container that is removed", () => {
    const before = sidecarSet({}, { containers: [{ name: "c", image: "img:1" }, other] });
    expect(warnings(sidecarSet(), before)).toEqual(["HOT3911"]);
    expect(warnings(sidecarSet({}, { selector: { matchLabels: { app: "y" } } }), sidecarSet())).toEqual(["HOT3912"]);
    expect(warnings(sidecarSet({}, { namespaceSelector: { matchLabels: { a: "b" } } }), sidecarSet())).toEqual([
      "HOT3912",
    ]);
    expect(warnings(sidecarSet(), sidecarSet())).toEqual([]);
  });
});

it.each([0, "0%"])(
  "maxUnavailable %s is accepted with a warning, unless nothing is updated anyway",
  (maxUnavailable) => {
    expect(codes(validate(sidecarSet({}, { updateStrategy: { maxUnavailable } })).warnings)).toEqual(["HOT3910"]);
    const { warnings } = validate(sidecarSet({}, { updateStrategy: { type: "NotUpdate", maxUnavailable } }));
    expect(warnings).toEqual([]);
  },
);

it("an empty image that is the image under another name is refused", () => {
  const upgradeStrategy = { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "docker.io/library/nginx:latest" };
  expect(faults(sidecarSet({ image: "nginx", upgradeStrategy, ...proof }))).toEqual([
    `HOT3202 FieldValueInvalid ${at}.upgradeStrategy.hotUpgradeEmptyImage`,
  ]);
});

it.each([
  ["no JSON", "is not the JSON of an object"],
  ['{"rules":{}}', "is not the JSON of an object with rules"],
  ['{"rules":[5]}', "is not the JSON of an object with rules"],
  ['{"rules":[{"allowedAnnotationKeyExprs":"key"}]}', "is not the JSON of an object with rules"],
  ['{"rules":[{"selector":{"matchExpressions":[{"key":"a","operator":"Near"}]}}]}', "selector of the whitelist"],
  ['{"rules":[{"allowedAnnotationKeyExprs":["(?=a)"]}]}', "has look-around"],
])("the whitelist %s says that it can't be read", (whitelist, reason) => {
  const object = sidecarSet({}, { patchPodMetadata: [{ annotations: { key: "v" } }] });
  const { errors } = validate(object, { metadataRules: { whitelist } });
  expect(errors).toMatchObject([{ code: "HOT3306", reason: expect.stringContaining(reason) as string }]);
});
