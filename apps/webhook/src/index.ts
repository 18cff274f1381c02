// SPDX-License-Identifier: Apache-2.0
export { parseConfig, USAGE, UsageError, type Config } from "./config.ts";
export { createLog, type Log } from "./log.ts";
export { RULES, type Rule } from "./rbac.ts";
export { runWebhook } from "./run.ts";
export type { Dependencies } from "./shared.ts";
export { INJECTION_LABEL } from "./webhook-configuration.ts";
