// SPDX-License-Identifier: Apache-2.0
// Least privilege: what each account may do is exactly what its part of the program asks the API server for.
import { describe, expect, test } from "vitest";
import { find, helmIsThere, NAMESPACE, render, type Rendered, type Rule } from "./chart.ts";

/** A rule taken apart: `cluster|namespace group/resource[/subresource][=name] verb`. */
function rightsOf(objects: readonly Rendered[], account: string): string[] {
  const bound = objects.filter(({ subjects }) =>
    subjects?.some(
      ({ kind, name, namespace }) => kind === "ServiceAccount" && name === account && namespace === NAMESPACE,
    ),
  );
  const take = (scope: string, rule: Rule): string[] =>
    rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) =>
        rule.verbs.flatMap((verb) =>
          (rule.resourceNames ?? [""]).map(
            (name) => `${scope} ${group}/${resource}${name === "" ? "" : `=${name}`} ${verb}`,
          ),
        ),
      ),
    );
  const all = bound.flatMap(({ kind, roleRef }) => {
    const role = find(objects, roleRef?.kind ?? "", roleRef?.name ?? "");
    return (role.rules ?? []).flatMap((rule) => take(kind === "ClusterRoleBinding" ? "cluster" : "namespace", rule));
  });
  return [...new Set(all)].sort();
}

const READ_BY_BOTH = [
  ...["get", "list", "watch"].flatMap((verb) => [
    `cluster /namespaces ${verb}`,
    `cluster apps.kruise.io/sidecarsets ${verb}`,
    `namespace apps/controllerrevisions ${verb}`,
  ]),
  "cluster events.k8s.io/events create",
  "cluster events.k8s.io/events patch",
];
const ADMISSION = "admissionregistration.k8s.io";
const WEBHOOK = [
  ...READ_BY_BOTH,
  "cluster apiextensions.k8s.io/customresourcedefinitions=sidecarsets.apps.kruise.io get",
  "cluster apiextensions.k8s.io/customresourcedefinitions=sidecarsets.apps.kruise.io patch",
  ...["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].flatMap((resource) => [
    `cluster ${ADMISSION}/${resource} create`,
    ...["get", "update", "delete"].map((verb) => `cluster ${ADMISSION}/${resource}=hot-webhook ${verb}`),
  ]),
  "namespace /secrets create",
  "namespace /secrets=hot-webhook-certs get",
  "namespace /secrets=hot-webhook-certs update",
].sort();
const CONTROLLER = [
  ...READ_BY_BOTH,
  ...["get", "list", "watch", "patch"].map((verb) => `cluster /pods ${verb}`),
  "cluster /pods/status patch",
  "cluster apps.kruise.io/sidecarsets/status patch",
  "namespace coordination.k8s.io/leases create",
  "namespace coordination.k8s.io/leases=hot-controller get",
  "namespace coordination.k8s.io/leases=hot-controller update",
].sort();

describe.skipIf(!helmIsThere)("rights", () => {
  test("one Deployment has both parts' rights and no more", () => {
    expect(rightsOf(render(), "hot-webhook")).toEqual([...new Set([...WEBHOOK, ...CONTROLLER])].sort());
  });

  test("in two Deployments neither has the rights of the other", () => {
    const objects = render({ separateController: { enabled: true } });
    expect(rightsOf(objects, "hot-webhook")).toEqual(WEBHOOK);
    expect(rightsOf(objects, "hot-controller")).toEqual(CONTROLLER);
  });

  test("no wildcard, no escalation, no list of Secrets, nothing on nodes", () => {
    for (const { rules = [], metadata } of render({ separateController: { enabled: true } })) {
      for (const rule of rules) {
        const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs, ...(rule.resourceNames ?? [])];
        expect(words.join(" "), metadata.name).not.toMatch(/\*|escalate|bind|impersonate|nodes|pods\/exec/);
        if (rule.resources.includes("secrets"))
          expect(rule.verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/list|watch/)]));
      }
    }
  });

  test("users: who may view may read SidecarSets, who may edit may change them; nobody writes their status", () => {
    const objects = render();
    const aggregated = (to: string): string[] =>
      objects
        .filter(({ metadata }) => metadata.labels[`rbac.authorization.k8s.io/aggregate-to-${to}`] === "true")
        .flatMap(({ rules = [] }) =>
          rules.flatMap(({ resources, verbs }) => verbs.map((verb) => `${verb} ${resources.join(",")}`)),
        );
    const read = ["get", "list", "watch"].map((verb) => `${verb} sidecarsets,sidecarsets/status`);
    const write = ["create", "update", "patch", "delete", "deletecollection"].map((verb) => `${verb} sidecarsets`);
    expect(aggregated("view")).toEqual(read);
    expect(aggregated("edit")).toEqual(expect.arrayContaining([...read, ...write]));
    expect(aggregated("edit")).toHaveLength(read.length + write.length);
    expect(aggregated("admin").sort()).toEqual(aggregated("edit").sort());
    expect(render({ aggregateUserRoles: false }).map(({ metadata }) => metadata.name)).not.toContain(
      "hot-sidecarsets-view",
    );
  });
});
