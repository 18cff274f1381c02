// SPDX-License-Identifier: Apache-2.0

/** Texts of `Warning` headers as the API server sends them: `299 - "text"`, with `\"` and `\\` escaped (RFC 7234 5.5). */
export function warningTexts(header: string | string[] | undefined): string[] {
  const text = [header ?? []].flat().join(", ");
  return [...text.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted = ""]) =>
    quoted.replaceAll(/\\(.)/g, "$1"),
  );
}
