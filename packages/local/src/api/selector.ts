// SPDX-License-Identifier: Apache-2.0
import { badRequest } from "./failure.ts";

export type Labels = Record<string, string>;
export type Match = (labels: Labels) => boolean;

const SET = /^\s*([^\s!=<>(),]+)\s+(in|notin)\s+\(([^()]*)\)\s*$/;
const COMPARE = /^\s*([^\s!=<>(),]+)\s*(==|=|!=|>|<)\s*([^\s!=<>(),]*)\s*$/;
const EXISTS = /^\s*(!?)\s*([^\s!=<>(),]+)\s*$/;

/** Parses a query's label selector: `a=b,c!=d,e in (x,y),f notin (z),g,!h,i>3`. Bad text is a 400. */
export function parseLabelSelector(text: string): Match {
  if (text.trim() === "") return () => true;
  const matches = splitOutsideParentheses(text).map(requirement);
  return (labels) => matches.every((match) => match(labels));
}

function requirement(text: string): Match {
  const [, setKey, setOperator, list] = SET.exec(text) ?? [];
  if (setKey !== undefined && list !== undefined) {
    const values = new Set(list.split(",").map((value) => value.trim()));
    if (setOperator === "in") return (labels) => Object.hasOwn(labels, setKey) && values.has(labels[setKey] ?? "");
    return (labels) => !Object.hasOwn(labels, setKey) || !values.has(labels[setKey] ?? "");
  }
  const [, key, operator, value = ""] = COMPARE.exec(text) ?? [];
  if (key !== undefined && operator !== undefined) return comparison(key, operator, value);
  const [, not, name] = EXISTS.exec(text) ?? [];
  if (name !== undefined) return (labels) => Object.hasOwn(labels, name) === (not === "");
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)} is no label selector`);
}

function comparison(key: string, operator: string, value: string): Match {
  const equal: Match = (labels) => Object.hasOwn(labels, key) && labels[key] === value;
  if (operator === "!=") return (labels) => !equal(labels);
  if (operator === "=" || operator === "==") return equal;
  const bound = Number(value);
  if (value === "" || !Number.isInteger(bound)) throw badRequest(`for '${operator}' the value must be an integer`);
  return (labels) => {
    const number = Object.hasOwn(labels, key) ? Number(labels[key]) : Number.NaN;
    return operator === ">" ? number > bound : number < bound;
  };
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "," && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Parses a field selector (`metadata.name=a,status.phase!=Running`); fields outside `allowed` are a 400. */
export function parseFieldSelector(text: string, allowed: readonly string[]): Match {
  if (text.trim() === "") return () => true;
  const matches = text.split(",").map((part): Match => {
    const [, name, operator, value = ""] = /^\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part) ?? [];
    if (name === undefined) throw badRequest(`invalid selector: ${JSON.stringify(part)}; can't understand it`);
    if (!allowed.includes(name)) throw badRequest(`field label not supported: ${name}`);
    return (fields) => ((fields[name] ?? "") === value) === (operator !== "!=");
  });
  return (fields) => matches.every((match) => match(fields));
}
