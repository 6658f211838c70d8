/** Structured logs on stderr through pino; stdout belongs to what a command prints. */
import pino from 'pino';

export type Logger = pino.Logger;

/** Level from `FAIRWAY_LOG` (trace, debug, info, warn, error, silent), `warn` unless set. */
export function createLogger(name: string, level: string = process.env.FAIRWAY_LOG ?? 'warn'): Logger {
  return pino({ name, level }, pino.destination({ fd: 2, sync: true }));
}
