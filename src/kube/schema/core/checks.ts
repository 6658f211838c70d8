/** Checks that several kinds share (apimachinery `util/validation`, core `validation.go`). */
import { isIP } from 'node:net';
import { checkDns1123Label, checkDns1123Subdomain } from '../../../base/names.ts';
import type { LabelSelector } from '../../types/index.ts';
import { child, type FaultList, forbidden, invalid, report, required } from '../fields.ts';
import { validateLabels } from '../metadata.ts';
import { checkLabelValue, checkQualifiedName } from '../names.ts';

export function reportIf(faults: FaultList, field: string, value: unknown, fault: string | undefined): void {
  if (fault) report(faults, invalid(field, value, fault));
}

export function checkPort(port: number): string | undefined {
  return port >= 1 && port <= 65535 ? undefined : 'must be between 1 and 65535, inclusive';
}

const PORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** IANA service name: names of container ports, and references to them. */
export function checkPortName(name: string): string | undefined {
  if (name.length > 15) return 'must be no more than 15 characters';
  if (!PORT_NAME.test(name))
    return 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), and must start and end with an alphanumeric character';
  if (!/[a-z]/.test(name)) return 'must contain at least one letter (a-z)';
  return name.includes('--') ? 'must not contain consecutive hyphens' : undefined;
}

export function checkPortOrName(port: number | string): string | undefined {
  return typeof port === 'number' ? checkPort(port) : checkPortName(port);
}

export function checkIp(address: string): string | undefined {
  return isIP(address) > 0 && !address.includes('%')
    ? undefined
    : 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
}

export function checkNonNegative(value: number): string | undefined {
  return value >= 0 ? undefined : 'must be greater than or equal to 0';
}

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;

/** Keys of ConfigMaps and Secrets. */
export function checkConfigKey(key: string): string | undefined {
  if (key.length > 253) return 'must be no more than 253 characters';
  if (!CONFIG_KEY.test(key))
    return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name', or 'KEY_NAME', or 'key-name')";
  if (key === '.' || key === '..') return `must not be '${key}'`;
  return key.startsWith('..') ? "must not start with '..'" : undefined;
}

/** A name of another object, of kinds that are named by subdomains. */
export const checkObjectName = checkDns1123Subdomain;
export const checkLabelName = checkDns1123Label;

export function validateLabelSelector(selector: LabelSelector, path: string, faults: FaultList): void {
  validateLabels(selector.matchLabels, child(path, 'matchLabels'), faults);
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues && values.length === 0)
      report(faults, required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    if (!takesValues && values.length > 0)
      report(faults, forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    reportIf(faults, `${at}.key`, key, checkQualifiedName(key));
    values.forEach((value, at2) => {
      reportIf(faults, `${at}.values[${at2}]`, value, checkLabelValue(value));
    });
  });
}

/** True for a selector that selects everything. */
export function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

/** Reports a field that may not change. */
export function reportImmutable(faults: FaultList, field: string, value: unknown): void {
  report(faults, invalid(field, value, 'field is immutable'));
}
