// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Catalogue } from "@hot/local";

/** Folder of the repository; this file is two levels below `apps/`, built or not. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** Runs a program of ours as it was built, or its source where this file is a source itself (in tests). */
export function program(app: string, entry: string): string[] {
  if (!import.meta.url.endsWith(".ts")) return [process.execPath, join(root, "apps", app, "dist", `${entry}.js`)];
  return [process.execPath, "--conditions=@hot/source", join(root, "apps", app, "src", `${entry}.ts`)];
}

const hotStandby = join(root, "packages", "fd-transfer", "build", "hot-standby");

function sidecar(version: string, more: Record<string, string> = {}): Catalogue["images"][string] {
  return {
    entrypoint: program("sidecar-demo", "main"),
    env: {
      DEMO_VERSION: version,
      DEMO_CONTAINER: "$(CONTAINER)",
      LISTEN_HOST: "$(POD_IP)",
      UPSTREAM_HOST: "$(POD_IP)",
      HOT_DIR: "$(SHM)/sidecar.hot",
      HOT_STANDBY: hotStandby,
      ...more,
    },
    paths,
  };
}

const paths = {
  "/hot-standby": hotStandby,
  "/migrate.sh": join(root, "apps", "sidecar-demo", "migrate.sh"),
};

const standby: Catalogue["images"][string] = {
  entrypoint: [hotStandby, "pause"],
  env: { HOT_STANDBY: hotStandby },
  paths,
};

/** The images of the samples: what a container image would hold, as commands on this machine. */
export function demoImages(): Catalogue {
  return {
    images: {
      "hot/demo-app:v1": {
        entrypoint: program("sidecar-demo", "app"),
        env: { LISTEN_HOST: "$(POD_IP)", POD_NAME: "$(POD_NAME)" },
      },
      "hot/standby:v1": standby,
      "hot/sidecar-demo:v1": sidecar("v1"),
      "hot/sidecar-demo:v2": sidecar("v2"),
      "hot/sidecar-demo:v3": sidecar("v3"),
      "hot/sidecar-demo:v4": sidecar("v4", { DEMO_CRASH: "1" }),
      "hot/sidecar-demo:v5": sidecar("v5"),
      "openkruise/hotupgrade-sample:empty": standby,
      "openkruise/hotupgrade-sample:sidecarv1": sidecar("v1"),
      "openkruise/hotupgrade-sample:sidecarv2": sidecar("v2"),
    },
  };
}
