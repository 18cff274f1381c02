// SPDX-License-Identifier: Apache-2.0
import { define } from "./built-in-type.ts";
import { WEBHOOK_COLUMNS } from "./columns.ts";
import { type FieldError, fieldInvalid } from "./failure.ts";
import { listAt, shown } from "./object.ts";
import { setDefaults } from "./pod-defaults.ts";
import type { ResourceType } from "./resource-type.ts";

/** The kind that holds mutating or validating webhooks. */
export function webhookConfiguration(kind: string, plural: string): ResourceType {
  return define({
    kind,
    plural,
    group: "admissionregistration.k8s.io",
    namespaced: false,
    generation: true,
    unconditionalUpdate: false,
    columns: WEBHOOK_COLUMNS,
    defaults: (configuration) => {
      for (const webhook of listAt(configuration, "webhooks")) {
        setDefaults(webhook, {
          failurePolicy: "Fail",
          matchPolicy: "Equivalent",
          namespaceSelector: {},
          objectSelector: {},
          timeoutSeconds: 10,
        });
        if (kind.startsWith("Mutating")) setDefaults(webhook, { reinvocationPolicy: "Never" });
        for (const rule of listAt(webhook, "rules")) setDefaults(rule, { scope: "*" });
      }
    },
    validate: (configuration) =>
      listAt(configuration, "webhooks").flatMap((webhook, index): FieldError[] => {
        const path = `webhooks[${index}]`;
        const errors: FieldError[] = [];
        if (typeof webhook.name !== "string" || webhook.name.split(".").length < 3) {
          errors.push(
            fieldInvalid(
              `${path}.name`,
              webhook.name ?? "",
              "should be a domain with at least three segments separated by dots",
            ),
          );
        }
        if (!["None", "NoneOnDryRun"].includes(shown(webhook.sideEffects))) {
          errors.push({
            field: `${path}.sideEffects`,
            reason: "FieldValueNotSupported",
            message: `Unsupported value: ${JSON.stringify(webhook.sideEffects ?? null)}: supported values: "None", "NoneOnDryRun"`,
          });
        }
        const seconds = webhook.timeoutSeconds;
        if (typeof seconds !== "number" || seconds < 1 || seconds > 30) {
          errors.push(
            fieldInvalid(`${path}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds"),
          );
        }
        return errors;
      }),
  });
}
