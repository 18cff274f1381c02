// SPDX-License-Identifier: Apache-2.0
// Least privilege: what each account may do is exactly what its part of the program asks the API server for.
import { describe, expect, test } from "vitest";
import { RULES } from "../../apps/webhook/src/rbac.ts";
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

/** The same of what a part of the program says that it asks for. */
function askedBy(...roles: string[]): string[] {
  const all = RULES.filter(({ role }) => roles.includes(role)).flatMap(
    ({ scope, apiGroup, resource, resourceName, verbs }) =>
      verbs.map(
        (verb) => `${scope} ${apiGroup}/${resource}${resourceName === undefined ? "" : `=${resourceName}`} ${verb}`,
      ),
  );
  return [...new Set(all)].sort();
}

describe.skipIf(!helmIsThere)("rights", () => {
  test("one Deployment has both parts' rights and no more", () => {
    expect(rightsOf(render(), "hot-webhook")).toEqual(askedBy("webhook", "controller"));
  });

  test("in two Deployments neither has the rights of the other", () => {
    const objects = render({ separateController: { enabled: true } });
    expect(rightsOf(objects, "hot-webhook")).toEqual(askedBy("webhook"));
    expect(rightsOf(objects, "hot-controller")).toEqual(askedBy("controller"));
  });

  test("only the controller writes pods, only the admission part writes Secrets and webhook configurations", () => {
    const objects = render({ separateController: { enabled: true } });
    const writes = (account: string): string =>
      rightsOf(objects, account)
        .filter((right) => !/ (get|list|watch)$/.test(right))
        .join("\n");
    expect(writes("hot-webhook")).not.toMatch(/\/pods|leases|status/);
    expect(writes("hot-controller")).not.toMatch(/secrets|configurations|customresourcedefinitions/);
    expect(rightsOf(objects, "hot-controller").join("\n")).not.toMatch(/secrets/);
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
