// SPDX-License-Identifier: Apache-2.0
import { GROUP, PLURAL } from "@hot/spec";
import { SECRET } from "./certs/secret.ts";
import { LEASE } from "./controller-role.ts";
import { CONFIGURATION } from "./metadata-rules.ts";
import { CRD } from "./register.ts";
import { NAME } from "./webhook-configuration.ts";

/** One rule of a Role or ClusterRole. */
export interface Rule {
  /** Whose: the admission part (and `uninstall`), or the controller. */
  readonly role: "webhook" | "controller";
  /** Where: `namespace` is this program's own. */
  readonly scope: "cluster" | "namespace";
  readonly apiGroup: string;
  /** With the subresource, as `pods/status`. */
  readonly resource: string;
  /** By this name only. `create` can't be restricted by name. */
  readonly resourceName?: string;
  readonly verbs: readonly string[];
  readonly why: string;
}

const ADMISSION = "admissionregistration.k8s.io";
const WATCH = ["list", "watch"];

/** Everything that this program asks of the API server, and no more: what its Roles have to allow. */
export const RULES: readonly Rule[] = [
  ...(["webhook", "controller"] as const).flatMap((role): Rule[] => [
    {
      role,
      scope: "cluster",
      apiGroup: "events.k8s.io",
      resource: "events",
      verbs: ["create", "patch"],
      why: "events",
    },
    { role, scope: "namespace", apiGroup: "apps", resource: "controllerrevisions", verbs: WATCH, why: "revisions" },
  ]),
  {
    role: "controller",
    scope: "namespace",
    apiGroup: "apps",
    resource: "controllerrevisions",
    verbs: ["get", "create", "patch", "delete"],
    why: "history of SidecarSets",
  },
  {
    role: "controller",
    scope: "cluster",
    apiGroup: GROUP,
    resource: `${PLURAL}/finalizers`,
    verbs: ["update"],
    why: "revisions are owned by their SidecarSet: asked for where OwnerReferencesPermissionEnforcement is on",
  },
  { role: "webhook", scope: "cluster", apiGroup: GROUP, resource: PLURAL, verbs: WATCH, why: "what to inject" },
  {
    role: "controller",
    scope: "cluster",
    apiGroup: GROUP,
    resource: PLURAL,
    verbs: ["get", ...WATCH],
    why: "rollouts",
  },
  {
    role: "webhook",
    scope: "cluster",
    apiGroup: "",
    resource: "namespaces",
    verbs: ["get", ...WATCH],
    why: "namespaceSelector, of a namespace that is not in the cache yet too",
  },
  {
    role: "controller",
    scope: "cluster",
    apiGroup: "",
    resource: "namespaces",
    verbs: WATCH,
    why: "namespaceSelector",
  },
  ...["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].flatMap((resource): Rule[] => [
    { role: "webhook", scope: "cluster", apiGroup: ADMISSION, resource, verbs: ["create"], why: "registration" },
    {
      role: "webhook",
      scope: "cluster",
      apiGroup: ADMISSION,
      resource,
      resourceName: NAME,
      verbs: ["get", "update", "delete"],
      why: "caBundle; uninstall",
    },
  ]),
  {
    role: "webhook",
    scope: "cluster",
    apiGroup: "apiextensions.k8s.io",
    resource: "customresourcedefinitions",
    resourceName: CRD,
    verbs: ["get", "patch"],
    why: "conversion",
  },
  { role: "webhook", scope: "namespace", apiGroup: "", resource: "secrets", verbs: ["create"], why: "authority" },
  {
    role: "webhook",
    scope: "namespace",
    apiGroup: "",
    resource: "secrets",
    resourceName: SECRET,
    verbs: ["get", "update"],
    why: "authority; mark of uninstall",
  },
  {
    role: "webhook",
    scope: "namespace",
    apiGroup: "",
    resource: "configmaps",
    resourceName: CONFIGURATION,
    verbs: ["get"],
    why: "what patchPodMetadata may set",
  },
  {
    role: "controller",
    scope: "cluster",
    apiGroup: "",
    resource: "pods",
    verbs: ["get", ...WATCH, "patch"],
    why: "upgrades",
  },
  { role: "controller", scope: "cluster", apiGroup: "", resource: "pods/status", verbs: ["patch"], why: "condition" },
  {
    role: "controller",
    scope: "cluster",
    apiGroup: GROUP,
    resource: `${PLURAL}/status`,
    verbs: ["patch"],
    why: "status",
  },
  {
    role: "controller",
    scope: "namespace",
    apiGroup: "coordination.k8s.io",
    resource: "leases",
    verbs: ["create"],
    why: "election",
  },
  {
    role: "controller",
    scope: "namespace",
    apiGroup: "coordination.k8s.io",
    resource: "leases",
    resourceName: LEASE,
    verbs: ["get", "update"],
    why: "election",
  },
];
