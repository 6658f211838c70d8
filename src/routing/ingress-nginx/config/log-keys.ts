/** Keys of the controller's ConfigMap about logs: see keys.ts. */
import { bool } from '../annotations/values.ts';
import { type ConfigRow, field, ignored, refused, texts } from './rows.ts';

const logFiles = 'The access log is written by `--access-log`, in one of its own formats.';

export const logKeys: Readonly<Record<string, ConfigRow>> = {
  'disable-access-log': field(bool, 'disableAccessLog'),
  'disable-http-access-log': field(bool, 'disableAccessLog'),
  'skip-access-log-urls': field(texts, 'skipAccessLogUrls'),
  ...Object.fromEntries(
    ['access-log-params', 'access-log-path', 'http-access-log-path', 'stream-access-log-path'].map((key) => [key, ignored(logFiles)]), // biome-ignore format: one row
  ),
  'log-format-upstream': refused(
    'The access log has formats of its own, `json` and `combined`: `--access-log-format`.',
  ),
  'log-format-stream': refused('The access log has formats of its own, `json` and `combined`: `--access-log-format`.'),
  'log-format-escape-none': ignored(logFiles),
  'log-format-escape-json': ignored(logFiles),
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
