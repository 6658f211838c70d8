/** Kubernetes' CEL library of named formats: `format.dns1123Label().validate(text)` (apiserver/pkg/cel/library/format.go). */
import type { Environment } from '@marcbachmann/cel-js';
import { Optional } from '@marcbachmann/cel-js';
import { checkDns1035Label, checkDns1123Label, checkDns1123Subdomain } from '../../../base/names.ts';
import { checkLabelValue, checkQualifiedName } from '../names.ts';
import { formatCheck } from '../structural/formats.ts';

export class FormatValue {
  readonly check: (text: string) => string | undefined;
  constructor(check: (text: string) => string | undefined) {
    this.check = check;
  }
}

class FormatNamespace {}

/** Checks a name of which a generated suffix is still missing: a trailing dash is fine. */
const asPrefix = (check: (text: string) => string | undefined) => (text: string) =>
  check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

const ofFormat = (name: string) => (text: string) =>
  formatCheck(name)!(text) ? undefined : `does not match the ${name} format`;

const formats: Record<string, (text: string) => string | undefined> = {
  dns1123Label: checkDns1123Label,
  dns1123Subdomain: checkDns1123Subdomain,
  dns1035Label: checkDns1035Label,
  qualifiedName: checkQualifiedName,
  dns1123LabelPrefix: asPrefix(checkDns1123Label),
  dns1123SubdomainPrefix: asPrefix(checkDns1123Subdomain),
  dns1035LabelPrefix: asPrefix(checkDns1035Label),
  labelValue: checkLabelValue,
  uri: ofFormat('uri'),
  uuid: ofFormat('uuid'),
  byte: ofFormat('byte'),
  date: ofFormat('date'),
  datetime: ofFormat('date-time'),
};

function validate(format: FormatValue, text: string): Optional {
  const fault = format.check(text);
  return fault === undefined ? Optional.none() : Optional.of([fault]);
}

export function registerFormats(environment: Environment): void {
  environment
    .registerType('kubernetes.NamedFormat', FormatValue)
    .registerType('FormatNamespace', FormatNamespace)
    .registerConstant('format', 'FormatNamespace', new FormatNamespace())
    .registerFunction('FormatNamespace.named(string): optional<kubernetes.NamedFormat>', (_: unknown, name: string) =>
      Object.hasOwn(formats, name) ? Optional.of(new FormatValue(formats[name]!)) : Optional.none(),
    )
    .registerFunction('kubernetes.NamedFormat.validate(string): optional<list<string>>', validate)
    // Rules in the wild ask for `validate(…) == null` when they mean "no fault".
    .registerOperator('optional<dyn> == null', (value: Optional) => !value.hasValue());
  for (const [name, check] of Object.entries(formats)) {
    const value = new FormatValue(check);
    environment.registerFunction(`FormatNamespace.${name}(): kubernetes.NamedFormat`, () => value);
  }
}
