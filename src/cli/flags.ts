/** How commands read the values of options. */
import { InvalidArgumentError } from 'commander';
import { CommandError } from './output.ts';

/** For an option that may be given several times. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** A whole number of at least `least` and at most `most`; `what` says what is wanted when it is none. */
export function wholeNumber(least: number, most: number, what: string): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < least || number > most)
      throw new InvalidArgumentError(what);
    return number;
  };
}

/** What `-o` names. Ends the command with exit code 2 when it is no format of the command. */
export function formatOf<T>(formats: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(formats, name)) return formats[name]!;
  const names = Object.keys(formats);
  throw new CommandError(`-o takes ${names.slice(0, -1).join(', ')} or ${names.at(-1)}, not ${name}`, 2);
}

/** Go's flags take `--flag`, `--flag=true` and `--flag=false`. */
export function goBoolean(value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new InvalidArgumentError('true or false is wanted');
}

/** As the schema of GatewayClass wants it. */
const controllerForm =
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** `spec.controllerName` of a GatewayClass. */
export function controllerName(value: string): string {
  if (value.length > 253 || !controllerForm.test(value)) throw new InvalidArgumentError('write DOMAIN/PATH');
  return value;
}
