// SPDX-License-Identifier: Apache-2.0
// Arrows point downwards only: each package may import from the ones named here and from nothing else of ours.
const allowed = {
  "packages/spec": [],
  "packages/inject": ["packages/spec"],
  "packages/kube": [],
  "packages/controller": ["packages/spec", "packages/inject", "packages/kube"],
  "packages/fd-transfer": [],
  "packages/local": ["packages/spec", "packages/kube"],
  "apps/webhook": ["packages/spec", "packages/inject", "packages/kube", "packages/controller"],
  "apps/sidecar-demo": ["packages/fd-transfer"],
  "apps/demo": ["packages/", "apps/webhook", "apps/sidecar-demo"],
};

const directions = Object.entries(allowed).map(([from, to]) => ({
  name: `${from.split("/")[1]}-imports-downwards`,
  severity: "error",
  from: { path: `^${from}/src` },
  to: { path: "^(packages|apps)/", pathNot: [`^${from}/`, ...to.map((folder) => `^${folder}`)] },
}));

const pure = "^packages/(spec/src|inject/src|controller/src/(plan|view)|fd-transfer/src/protocol)/";

export default {
  forbidden: [
    ...directions,
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "pure-has-no-effects",
      comment: "Decisions take time, randomness and state as arguments",
      severity: "error",
      from: { path: pure },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "pure-imports-pure",
      severity: "error",
      from: { path: "^packages/controller/src/(plan|view)/" },
      to: { path: "^packages/kube/", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/dist/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ["@hot/source", "import", "node", "default"],
      exportsFields: ["exports"],
    },
  },
};
