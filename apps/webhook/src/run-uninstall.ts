// SPDX-License-Identifier: Apache-2.0
import { connect } from "@hot/kube";
import type { Config } from "./config.ts";
import type { Dependencies } from "./shared.ts";
import { uninstall } from "./uninstall.ts";

/** The command `uninstall`. Rejects when something could not be taken away; it may then be tried again. */
export async function runUninstall(
  { kubeconfig, namespace, revertConversion }: Config,
  { log, installation }: Pick<Dependencies, "log" | "installation">,
): Promise<void> {
  await using api = connect({ userAgent: "hot-webhook", ...(kubeconfig !== undefined && { kubeconfig }) });
  const changed = await uninstall({ api, namespace, installation, revertConversion });
  log.info("uninstalled", { changed });
}
