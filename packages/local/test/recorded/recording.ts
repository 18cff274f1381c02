// SPDX-License-Identifier: Apache-2.0

/** What one kubectl command asked, in order, and what it must be answered. */
export interface Recording {
  command: string;
  requests: RecordedRequest[];
}

export interface RecordedRequest {
  method: string;
  /** `{resourceVersion}` stands for the version of the last list. */
  path: string;
  headers: Record<string, string>;
  /** Text as it was sent; `base64:` before what is no text. */
  body?: string;
  status: number;
  shape: Shape;
}

/** The part of an answer that kubectl depends on and that does not change from run to run. */
export interface Shape {
  kind?: string;
  apiVersion?: string;
  name?: string;
  reason?: string;
  columns?: string[];
  /** Names in a list or first cells of a Table. */
  items?: string[];
  /** Types of the events of a watch, as far as the command has read them. */
  events?: string[];
  /** An answer that is not JSON. */
  text?: string;
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
export function shapeOf(body: any): Shape {
  if (typeof body !== "object" || body === null) return { text: String(body).slice(0, 40) };
  const table = body.kind === "Table";
  const items: unknown[] | undefined = table ? body.rows : body.items;
  return {
    ...(body.kind === undefined ? {} : { kind: body.kind }),
    ...(body.apiVersion === undefined ? {} : { apiVersion: body.apiVersion }),
    ...(body.metadata?.name === undefined ? {} : { name: body.metadata.name }),
    ...(body.reason === undefined || body.kind !== "Status" ? {} : { reason: body.reason }),
    ...(table ? { columns: body.columnDefinitions?.map((column: { name: string }) => column.name) ?? [] } : {}),
    // oxlint-disable-next-line typescript/no-explicit-any -- rows and objects
    ...(Array.isArray(items) ? { items: items.map((item: any) => (table ? item.cells[0] : item.metadata?.name)) } : {}),
  };
}

export const PLACEHOLDER = "{resourceVersion}";
