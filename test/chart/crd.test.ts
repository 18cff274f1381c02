// SPDX-License-Identifier: Apache-2.0
import { sidecarSetCrd } from "@hot/spec";
import { describe, expect, test } from "vitest";
import { find, helmIsThere, names, render } from "./chart.ts";

const NAME = "sidecarsets.apps.kruise.io";

describe.skipIf(!helmIsThere)("the CustomResourceDefinition", () => {
  test("is that of @hot/spec, without conversion: an upgrade must not undo what the application has registered", () => {
    const { conversion: _, ...spec } = sidecarSetCrd().spec;
    expect(find(render(), "CustomResourceDefinition", NAME).spec).toEqual(spec);
  });

  test("stays after an uninstall, and with it all SidecarSets", () => {
    const { annotations } = find(render(), "CustomResourceDefinition", NAME).metadata;
    expect(annotations).toEqual({ "helm.sh/resource-policy": "keep" });
  });

  test("is left to its owner where crds.install is false", () => {
    expect(names(render({ crds: { install: false } }))).not.toContain(`CustomResourceDefinition/${NAME}`);
  });
});
