/** Lines of the access log for TCP and TLS connections and UDP flows. Server names are host names, and escaped all the same. */
import type { StreamFlag, StreamRecord } from '../stream/record.ts';
import { type AccessLogFormat, commonTime, extra, isoTime, jsonText, member, quoted, thousandths } from './format.ts';

/** A record as a line with its line feed. */
export const streamFormatters: Readonly<Record<AccessLogFormat, (record: StreamRecord) => string>> = {
  json: jsonLine,
  combined: combinedLine,
  nginx: nginxLine,
};

/** `protocol` tells them from requests, whose protocol begins with HTTP. */
function jsonLine(record: StreamRecord): string {
  let line = `{"time":"${isoTime(record.time)}","listener":${jsonText(record.listener)}`;
  line += `,"client":${jsonText(record.client)},"clientPort":${record.clientPort},"protocol":"${record.protocol}"`;
  line += member('serverName', record.serverName);
  line += `,"receivedBytes":${record.receivedBytes},"sentBytes":${record.sentBytes}`;
  line += `,"durationMs":${thousandths(record.durationMs)}`;
  line += member('route', record.route) + member('backend', record.backend) + member('endpoint', record.endpoint);
  return `${line},"attempts":${record.attempts}${member('flag', record.flag)}${member('reason', record.reason)}}\n`;
}

/**
 * As for a request that could not be read, with no status: what stands for the request is the protocol, the server name
 * or else the listener's place, and `-` for a version.
 * `client - - [time] "TLS db.example.com -" - bytes "-" "-" ms=… received=… listener=… route=… …`
 */
function combinedLine(record: StreamRecord): string {
  const { client, protocol, listener, serverName } = record;
  const target = serverName ?? listener.slice(0, listener.lastIndexOf('/'));
  let line = `${client} - - [${commonTime(record.time)}] "${protocol} ${quoted(target)} -" - ${record.sentBytes || '-'}`;
  line += ` "-" "-" ms=${thousandths(record.durationMs)} received=${record.receivedBytes}`;
  line += extra('listener', listener) + extra('route', record.route) + extra('backend', record.backend);
  return `${line}${extra('endpoint', record.endpoint)}${extra('flag', record.flag)}\n`;
}

/** As ingress-nginx has it by default: `[client] [time] protocol status sent received seconds`. No value is a client's. */
function nginxLine(record: StreamRecord): string {
  const { client, protocol, time, durationMs, sentBytes, receivedBytes } = record;
  const transport = protocol === 'UDP' ? 'UDP' : 'TCP';
  const line = `[${client}] [${commonTime(time + durationMs)}] ${transport} ${sessionStatus(record)}`;
  return `${line} ${sentBytes} ${receivedBytes} ${(durationMs / 1000).toFixed(3)}\n`;
}

/** What nginx would have called it ($status of ngx_stream_core_module). */
const sessionStatuses: Partial<Readonly<Record<StreamFlag, number>>> = {
  overflow: 503,
  upstream_overflow: 503,
  bad_proxy_header: 400,
  bad_hello: 400,
  hello_timeout: 400,
  no_route: 502,
  invalid_backend: 502,
  no_endpoints: 502,
  upstream_connect_failed: 502,
  upstream_connect_timeout: 502,
  upstream_tls_failed: 502,
  handshake_failed: 500,
};

const sessionStatus = ({ flag }: StreamRecord): number => (flag && sessionStatuses[flag]) ?? 200;
