/**
 * How a listener's lines of the access log look, where the log is to be one of nginx (`--access-log-format nginx`): texts
 * and named fields in a row. Part of the plan: see plan.ts. Nothing here is ever run as text.
 */
import type { RequestValue } from './values.ts';

export interface LogFormat {
  readonly parts: readonly (string | LogField)[];
  /** How values are written (`escape` of nginx's log_format), as far as no value can be taken for something else. */
  readonly escape: LogEscape;
}

/**
 * `default`: bytes as `\xHH`, and `-` for what there is not. `json`: as in strings of JSON, and nothing for what there is
 * not. `none`: as `default`, and nothing for what there is not.
 */
export type LogEscape = 'default' | 'json' | 'none';

export type LogField =
  /** Of the request as it came; `response-header` is of the backend's response. */
  | Exclude<RequestValue, { of: 'capture' }>
  /** Of the response as the client got it. Lower case. */
  | { readonly of: 'sent-header'; readonly name: string }
  | { readonly of: 'log'; readonly fact: LogFact };

/** In brackets: the variable of nginx or ingress-nginx. */
export type LogFact =
  /** When the request was over: `22/Nov/2026:16:06:04 +0000` ($time_local), `2026-11-22T16:06:04+00:00`, seconds with three decimals. */
  | 'time-local'
  | 'time-iso8601'
  | 'msec'
  /** Seconds with three decimals. */
  | 'request-time'
  /** Name that the client has given in Authorization, whether or not anybody has checked it. */
  | 'remote-user'
  | 'remote-port'
  /** Address that a balancer has announced (PROXY protocol). */
  | 'proxy-protocol-address'
  /** Method, target and version as they came ($request). */
  | 'request-line'
  /** Bytes of head and body. */
  | 'request-length'
  /** 499 where the client left before there was one; otherwise 000. */
  | 'status'
  | 'body-bytes-sent'
  /** With the head. */
  | 'bytes-sent'
  /** One for each attempt, with a comma and a blank between them ($upstream_addr and so on). */
  | 'upstream-address'
  | 'upstream-status'
  | 'upstream-response-length'
  | 'upstream-response-time'
  | 'upstream-connect-time'
  | 'upstream-header-time'
  /** `namespace-service-port` of the route's backend ($proxy_upstream_name), and of the canary where the request went there. */
  | 'upstream-name'
  | 'alternative-upstream-name'
  /** Of the object that the route comes from. */
  | 'namespace'
  | 'ingress-name'
  | 'service-name'
  | 'service-port'
  /** Hostname that the request's host has matched; `_` for all others. */
  | 'server-name'
  | 'tls-protocol'
  | 'tls-cipher'
  /** Server name of the TLS handshake. */
  | 'tls-server-name';

const log = (fact: LogFact): LogField => ({ of: 'log', fact });

/** What ingress-nginx writes unless `log-format-upstream` says otherwise; of listeners that have no format. */
export const defaultLogFormat: LogFormat = {
  parts: [
    ...[{ of: 'fact', fact: 'client-address' } as const, ' - ', log('remote-user'), ' [', log('time-local'), '] "'],
    ...[log('request-line'), '" ', log('status'), ' ', log('body-bytes-sent'), ' "'],
    ...[{ of: 'header', name: 'referer' } as const, '" "', { of: 'header', name: 'user-agent' } as const, '" '],
    ...[log('request-length'), ' ', log('request-time'), ' [', log('upstream-name'), '] ['],
    ...[log('alternative-upstream-name'), '] ', log('upstream-address'), ' ', log('upstream-response-length'), ' '],
    ...[log('upstream-response-time'), ' ', log('upstream-status'), ' ', { of: 'fact', fact: 'request-id' } as const],
  ],
  escape: 'default',
};
