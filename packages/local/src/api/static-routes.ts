// SPDX-License-Identifier: Apache-2.0
import * as discovery from "./discovery.ts";
import { unknownPath } from "./failure.ts";
import type { JsonObject } from "./object.ts";
import { openApiIndex, openApiV2, openApiV3 } from "./openapi.ts";
import type { Registry } from "./registry.ts";

interface StaticAnswer {
  status: number;
  body: JsonObject | string;
  contentType?: string;
}

/** GET of everything that is no resource: health, version, discovery, OpenAPI. Unknown paths are a 404. */
export function staticAnswer(
  registry: Registry,
  { path, accept }: { path: string; accept: string | undefined },
): StaticAnswer {
  const parts = path.split("/").filter((part) => part !== "");
  const [root = ""] = parts;
  if (parts.length === 1 && ["healthz", "livez", "readyz"].includes(root)) {
    return { status: 200, body: "ok", contentType: "text/plain; charset=utf-8" };
  }
  if (parts.length === 1 && (root === "api" || root === "apis") && discovery.wantsAggregated(accept)) {
    return { status: 200, body: discovery.aggregated(registry, root === "api"), contentType: discovery.AGGREGATED };
  }
  const body = documentOf(registry, parts);
  if (body) return { status: 200, body };
  if (root === "api" || root === "apis") throw unknownPath();
  return NO_PAGE;
}

/** Below a group that nobody serves there is no API, thus no Status either. */
export const NO_PAGE: StaticAnswer = {
  status: 404,
  body: "404 page not found\n",
  contentType: "text/plain; charset=utf-8",
};

/** False only for a path below a group that does not exist. */
export function groupExists(registry: Registry, path: string): boolean {
  const [root, group] = path.split("/").filter((part) => part !== "");
  return root !== "apis" || group === undefined || discovery.group(registry, group) !== undefined;
}

function documentOf(registry: Registry, parts: string[]): JsonObject | undefined {
  const [, first = "", second = "", third = "", fourth = ""] = parts;
  switch (`${parts[0]} ${parts.length}`) {
    case "version 1":
      return discovery.VERSION;
    case "api 1":
      return discovery.coreVersions();
    case "api 2":
      return discovery.resources(registry, "", first);
    case "apis 1":
      return discovery.groups(registry);
    case "apis 2":
      return discovery.group(registry, first);
    case "apis 3":
      return discovery.resources(registry, first, second);
    case "openapi 2":
      return first === "v2" ? openApiV2() : first === "v3" ? openApiIndex(registry) : undefined;
    case "openapi 4":
      return first === "v3" && second === "api" ? openApiV3(registry, "", third) : undefined;
    case "openapi 5":
      return first === "v3" && second === "apis" ? openApiV3(registry, third, fourth) : undefined;
    default:
      return undefined;
  }
}
