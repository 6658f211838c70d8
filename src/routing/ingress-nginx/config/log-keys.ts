/** Keys of the controller's ConfigMap about logs: see keys.ts. */
import { bool } from '../annotations/values.ts';
import { readLogFormat } from './log-format.ts';
import { type ConfigRow, type Draft, field, ignored, put, refused, texts } from './rows.ts';

const logFiles = 'The access log is written by `--access-log`.';

function takeLogFormat({ log, remarks }: Draft, text: string): boolean | string {
  const read = readLogFormat(text);
  if (!read.ok) return read.error;
  log.parts = read.value.parts;
  const { unknown } = read.value;
  if (unknown.length > 0) remarks.push({ key: 'log-format-upstream', message: tellUnknown(unknown) });
  return true;
}

/** Of so many, the message has the names. */
const MAX_NAMED = 8;

function tellUnknown(names: readonly string[]): string {
  const told = names.slice(0, MAX_NAMED).map((name) => `$${name}`);
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  return `not known, and - in lines: ${told.join(', ')}${more}`;
}

export const logKeys: Readonly<Record<string, ConfigRow>> = {
  'disable-access-log': field(bool, 'disableAccessLog'),
  'disable-http-access-log': field(bool, 'disableAccessLog'),
  'skip-access-log-urls': field(texts, 'skipAccessLogUrls'),
  ...Object.fromEntries(
    ['access-log-params', 'access-log-path', 'http-access-log-path', 'stream-access-log-path'].map((key) => [key, ignored(logFiles)]), // biome-ignore format: one row
  ),
  'log-format-upstream': {
    ...{ verdict: 'differs', expected: 'texts and [variables](#lines-of-the-access-log)', take: takeLogFormat },
    note: 'Needs `--access-log-format nginx`. For a variable that is not known the line has `-` (FW5513), where nginx does not start. [What is not the same](#lines-of-the-access-log).',
  },
  'log-format-stream': refused(
    'With `--access-log-format nginx`, connections have the line that is its default; `json` has more of them.',
  ),
  'log-format-escape-none': put(
    bool,
    ({ log }, none) => Object.assign(log, { none }),
    'For what there is not, the line has nothing. Values are escaped as by default all the same: no request may forge a field or a line.',
  ),
  'log-format-escape-json': put(
    bool,
    ({ log }, json) => Object.assign(log, { json }),
    'Characters beyond ASCII are written as `\\u00e9`: the same to who reads the JSON.',
  ),
  'enable-access-log-for-default-backend': ignored(logFiles),
  'enable-auth-access-log': ignored('Questions to services of external auth are not in the access log.'),
  'disable-stream-access-log': ignored(logFiles),
  'error-log-path': ignored('Findings go to the log of the process.'),
  'error-log-level': ignored('Findings go to the log of the process.'),
  'enable-syslog': ignored('Logs go to the standard output, from which a collector takes them.'),
  'syslog-host': ignored('Logs go to the standard output, from which a collector takes them.'),
  'syslog-port': ignored('Logs go to the standard output, from which a collector takes them.'),
  'debug-connections': ignored('`fairway explain` says what becomes of a request.'),
};
