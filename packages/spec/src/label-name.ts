// SPDX-License-Identifier: Apache-2.0

const NAME_PART = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** Says why a text is no DNS-1123 label (a container, port or namespace name), or undefined when it is one. */
export function dnsLabelProblem(text: string): string | undefined {
  if (text.length > 63) return "must have at most 63 characters";
  return DNS_LABEL.test(text)
    ? undefined
    : "must consist of lower-case letters, digits and '-', and start and end with a letter or digit";
}

/** Says why a text is no DNS-1123 subdomain, or undefined when it is one. */
export function dnsSubdomainProblem(text: string): string | undefined {
  if (text.length > 253) return "must have at most 253 characters";
  return text.split(".").every((part) => DNS_LABEL.test(part))
    ? undefined
    : "must consist of lower-case letters, digits, '-' and '.', and each part must start and end with a letter or digit";
}

/** Says why a text is no label or annotation key (`[prefix/]name`), or undefined when it is one. */
export function qualifiedNameProblem(text: string): string | undefined {
  const parts = text.split("/");
  if (parts.length > 2) return "must be a name with an optional DNS prefix, such as example.com/name";
  const [name = "", prefix] = parts.toReversed();
  if (prefix !== undefined) {
    if (prefix === "") return "the prefix must not be empty";
    const problem = dnsSubdomainProblem(prefix);
    if (problem !== undefined) return `the prefix ${problem}`;
  }
  if (name === "") return "the name must not be empty";
  if (name.length > 63) return "the name must have at most 63 characters";
  return NAME_PART.test(name)
    ? undefined
    : "the name must consist of letters, digits, '-', '_' and '.', and start and end with a letter or digit";
}

/** Says why a text is no label value, or undefined when it is one. */
export function labelValueProblem(text: string): string | undefined {
  if (text.length > 63) return "must have at most 63 characters";
  return text === "" || NAME_PART.test(text)
    ? undefined
    : "must be empty or consist of letters, digits, '-', '_' and '.', and start and end with a letter or digit";
}
