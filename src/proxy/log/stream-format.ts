/** Lines of the access log for TCP and TLS connections and UDP flows. Server names are host names, and escaped all the same. */
import type { StreamRecord } from '../stream/record.ts';
import { type AccessLogFormat, commonTime, extra, isoTime, jsonText, member, quoted, thousandths } from './format.ts';

/** A record as a line with its line feed. */
export const streamFormatters: Readonly<Record<AccessLogFormat, (record: StreamRecord) => string>> = {
  json: jsonLine,
  combined: combinedLine,
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
