import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addTelemetryFlags, type TelemetryFlags, telemetryOf } from './telemetry-flags.ts';
import { version } from './version.ts';

function wishesOf(...args: string[]) {
  const command = new Command('up').argument('[path...]').exitOverride();
  command.configureOutput({ writeErr: () => {} });
  addTelemetryFlags(command);
  command.parse(args, { from: 'user' });
  return telemetryOf(command.opts<TelemetryFlags>());
}

describe('flags for what is told about traffic', () => {
  it.each([
    [[], {}],
    [['--access-log'], { accessLog: { path: '-', format: 'json' } }],
    [['--access-log', '-'], { accessLog: { path: '-', format: 'json' } }],
    [
      ['--access-log', 'f', '--access-log-format', 'combined', '--access-log-sample', '0.1'],
      { accessLog: { path: 'f', format: 'combined', sampleRate: 0.1 } },
    ],
    [['--metrics', '127.0.0.1:9090'], { metrics: { host: '127.0.0.1', port: 9090 } }],
    [['--metrics', '[::1]:0'], { metrics: { host: '::1', port: 0 } }],
    [
      ['--metrics', 'localhost:80', '--start-traces', '0'],
      { metrics: { host: 'localhost', port: 80 }, startTraces: 0 },
    ],
    [['--otlp', 'http://[::1]:4318'], { otlp: { url: new URL('http://[::1]:4318/v1/traces'), version } }],
  ])('%j', (args, wishes) => expect(wishesOf(...args)).toEqual(wishes));

  it.each([
    ['--access-log', 'f', '--access-log-format', 'xml'],
    ['--access-log', 'f', '--access-log-sample', '1.5'],
    ['--access-log', 'f', '--access-log-sample', ''],
    ['--access-log-sample', '0.5'],
    ['--access-log-format', 'json'],
    ['--metrics', '9090'],
    ['--metrics', '::1:9090'],
    ['--metrics', 'a:99999'],
    ['--start-traces', 'all'],
    ['--otlp', '127.0.0.1:4318'],
    ['--otlp', 'grpc://127.0.0.1:4317'],
  ])('refuses %s %s %s %s', (...args) => expect(() => wishesOf(...args.filter((one) => one !== undefined))).toThrow());
});
