// SPDX-License-Identifier: Apache-2.0
import { badRequest, unsupportedMediaType } from "./failure.ts";
import { isJsonObject, type JsonObject, setField, shown, textAt } from "./object.ts";

/** How one field of a message is written: its name in JSON and its type; `map` has string keys. */
type Field = { name: string; type: "string" | "bool" | "int" | "bytes" | Message; repeated?: true; map?: true };
type Message = Record<number, Field>;

const text = (name: string): Field => ({ name, type: "string" });
const map = (name: string, type: "string" | "bytes" = "string"): Field => ({ name, type, map: true });

const OBJECT_META: Message = {
  1: text("name"),
  2: text("generateName"),
  3: text("namespace"),
  5: text("uid"),
  6: text("resourceVersion"),
  11: map("labels"),
  12: map("annotations"),
  14: { name: "finalizers", type: "string", repeated: true },
};
const metadata: Field = { name: "metadata", type: OBJECT_META };

/** The kinds that `kubectl create` sends in protobuf and that are small enough to be worth reading. */
const KINDS: Record<string, Message> = {
  Namespace: { 1: metadata },
  ConfigMap: { 1: metadata, 2: map("data"), 3: map("binaryData", "bytes"), 4: { name: "immutable", type: "bool" } },
  Secret: {
    1: metadata,
    2: map("data", "bytes"),
    3: text("type"),
    4: map("stringData"),
    5: { name: "immutable", type: "bool" },
  },
  DeleteOptions: {
    1: { name: "gracePeriodSeconds", type: "int" },
    2: { name: "preconditions", type: { 1: text("uid"), 2: text("resourceVersion") } },
    4: text("propagationPolicy"),
    5: { name: "dryRun", type: "string", repeated: true },
  },
};

const ENVELOPE: Message = {
  1: { name: "typeMeta", type: { 1: text("apiVersion"), 2: text("kind") } },
  2: { name: "raw", type: "bytes" },
};
const MAGIC = Buffer.from("k8s\0");

export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** Reads Kubernetes' protobuf envelope of one of a few simple kinds; other kinds are a 415 that says what to do instead. */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(MAGIC)) throw badRequest("the body of the request is no Kubernetes protobuf");
  const { typeMeta, raw } = decodeMessage(body.subarray(4), ENVELOPE);
  const kind = textAt(typeMeta, "kind") ?? "";
  const message = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (!message || !isJsonObject(typeMeta)) {
    throw unsupportedMediaType(
      `this server reads ${kind} as JSON only; let kubectl write it first: kubectl create … --dry-run=client -o yaml | kubectl apply -f -`,
    );
  }
  return {
    apiVersion: typeMeta.apiVersion,
    kind,
    ...decodeMessage(Buffer.from(typeof raw === "string" ? raw : "", "base64"), message),
  };
}

function decodeMessage(bytes: Buffer, message: Message): JsonObject {
  const result: JsonObject = {};
  const reader = { bytes, position: 0 };
  while (reader.position < bytes.length) {
    const tag = varint(reader);
    const field = message[Number(tag >> 3n)];
    const value = payload(reader, Number(tag & 7n));
    if (!field) continue;
    const decoded = field.map ? undefined : decodeValue(value, field.type);
    if (field.map) putEntry(result, field, value);
    else if (field.repeated)
      setField(result, field.name, [...((result[field.name] as unknown[] | undefined) ?? []), decoded]);
    else setField(result, field.name, decoded);
  }
  return result;
}

function putEntry(result: JsonObject, { name, type }: Field, value: Buffer | bigint): void {
  if (!Buffer.isBuffer(value)) throw badRequest("a protobuf map has the wrong wire type");
  const { key = "", value: item = "" } = decodeMessage(value, { 1: text("key"), 2: { name: "value", type } });
  const entries = isJsonObject(result[name]) ? result[name] : {};
  setField(entries, shown(key), item);
  result[name] = entries;
}

function decodeValue(value: Buffer | bigint, type: Field["type"]): unknown {
  if (type === "bool") return value !== 0n;
  if (type === "int") return Number(value);
  if (!Buffer.isBuffer(value)) throw badRequest("a protobuf field has the wrong wire type");
  if (type === "string") return value.toString("utf8");
  return type === "bytes" ? value.toString("base64") : decodeMessage(value, type);
}

interface Reader {
  bytes: Buffer;
  position: number;
}

function varint(reader: Reader): bigint {
  let result = 0n;
  for (let shift = 0n; shift < 64n; shift += 7n) {
    const byte = reader.bytes[reader.position++];
    if (byte === undefined) break;
    result |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return result;
  }
  throw badRequest("the protobuf body is cut");
}

function payload(reader: Reader, wireType: number): Buffer | bigint {
  if (wireType === 0) return varint(reader);
  const length = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? Number(varint(reader)) : Number.NaN;
  const end = reader.position + length;
  if (!(end <= reader.bytes.length)) throw badRequest("the protobuf body is cut");
  const part = reader.bytes.subarray(reader.position, end);
  reader.position = end;
  return part;
}
