// SPDX-License-Identifier: Apache-2.0
export { parseConfig, USAGE, UsageError, type Config } from "./config.ts";
export { createLog, type Log } from "./log.ts";
export { runWebhook, type Dependencies } from "./run.ts";
export { INJECTION_LABEL } from "./webhook-configuration.ts";
