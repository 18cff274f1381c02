// SPDX-License-Identifier: Apache-2.0

/** The part of JSON schema that values.schema.json uses. */
export interface ValueSchema {
  $ref?: string;
  $defs?: Record<string, ValueSchema>;
  type?: string;
  enum?: string[];
  description?: string;
  default?: unknown;
  properties?: Record<string, ValueSchema>;
}

/** One value or group of values; a group has no default of its own. */
export interface ChartValue {
  path: string[];
  description: string;
  type: string;
  isGroup: boolean;
  default?: unknown;
}

/** All values in the order of the schema, each group before its members. `global` is Helm's and has no default. */
export function flatten(schema: ValueSchema): ChartValue[] {
  const visit = (node: ValueSchema, path: string[]): ChartValue[] => {
    const target = node.$ref === undefined ? node : { ...definition(schema, node.$ref), ...node };
    const isGroup = target.properties !== undefined && target.default === undefined;
    if (target.description === undefined) throw new Error(`values.schema.json: ${path.join(".")} has no description`);
    if (!isGroup && target.default === undefined)
      throw new Error(`values.schema.json: ${path.join(".")} has no default`);
    const self: ChartValue = {
      path,
      description: target.description,
      type: target.enum?.map((one) => `\`${one}\``).join(", ") ?? target.type ?? "",
      isGroup,
      ...(!isGroup && { default: target.default }),
    };
    return isGroup ? [self, ...members(target, path)] : [self];
  };
  const members = (node: ValueSchema, path: string[]): ChartValue[] =>
    Object.entries(node.properties ?? {})
      .filter(([name]) => path.length > 0 || name !== "global")
      .flatMap(([name, member]) => visit(member, [...path, name]));
  return members(schema, []);
}

function definition(schema: ValueSchema, ref: string): ValueSchema {
  const found = schema.$defs?.[ref.replace("#/$defs/", "")];
  if (found === undefined) throw new Error(`values.schema.json: ${ref} is not there`);
  return found;
}
