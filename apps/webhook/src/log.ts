// SPDX-License-Identifier: Apache-2.0
import { pino } from "pino";
import type { LogLevel } from "./config.ts";
import { faultCode } from "./fault-code.ts";

/** One line per event: a message that does not change, and fields. */
export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/**
 * JSON lines with `time` (RFC 3339), `level`, `msg` and the fields. An `err` field becomes type, message and stack; where
 * the fields name no `code`, it is the one of `err`, if that has one.
 */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withCode },
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    { write },
  );
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}

function withCode(fields: Record<string, unknown>): Record<string, unknown> {
  const code = faultCode(fields);
  return code === undefined ? fields : { code, ...fields };
}
