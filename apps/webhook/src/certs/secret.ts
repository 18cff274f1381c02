// SPDX-License-Identifier: Apache-2.0
import { NAME } from "../webhook-configuration.ts";

/** Name of the Secret that the replicas share. */
export const SECRET = `${NAME}-certs`;
