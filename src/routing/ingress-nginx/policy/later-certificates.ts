/**
 * Ingresses that ask for certificates of clients on a host for which an older one does so already. The older one's word
 * holds for the whole host; where it asks for less than the later one, nobody passes the later one's locations.
 */
import { formatRef } from '../../../base/diagnostics/index.ts';
import { refOf } from '../../../kube/resources.ts';
import type { Ingress } from '../../../kube/types/index.ts';
import { type NginxReading, readNginxAnnotations } from '../annotations/read.ts';
import { type Asked, type NginxKey, nginxPrefix } from '../annotations/table.ts';
import { type PolicyScope, report, reportAnnotations } from './desk.ts';
import { clientTlsKeys } from './server.ts';

/** How much is asked of clients. */
const strictness = { off: 0, optional_no_ca: 1, optional: 2, on: 3 } as const;

const strictnessOf = (asked: Asked) => strictness[asked['auth-tls-verify-client'] ?? 'on'];

/** Why the locations of `later` let nobody through; undefined where `owner` asks for as much as it does. */
export function laterRefusal(scope: PolicyScope, owner: Ingress, later: Ingress): string | undefined {
  const reading = readNginxAnnotations(later);
  const unread = clientTlsKeys.find((key) => reading.broken.includes(key));
  const culprit = unread ?? beyond(owner, later, reading);
  if (culprit === undefined) return undefined;
  reportAnnotations(scope, later);
  if (unread === undefined) {
    const message = `${nginxPrefix}${culprit}: ${formatRef(refOf(owner))} came first and asks clients of the host for less, or for something else`;
    report(scope, later, { code: 'FW5501', name: culprit, message });
  }
  return `the annotation ${nginxPrefix}${culprit} cannot be honoured`;
}

/** The annotation by which more is asked for. */
function beyond(owner: Ingress, later: Ingress, { asked }: NginxReading): NginxKey | undefined {
  const first = readNginxAnnotations(owner).asked;
  if (secretOf(owner, first) !== secretOf(later, asked)) return 'auth-tls-secret';
  if (strictnessOf(asked) > strictnessOf(first)) return 'auth-tls-verify-client';
  if ((asked['auth-tls-verify-depth'] ?? 1) < (first['auth-tls-verify-depth'] ?? 1)) return 'auth-tls-verify-depth';
  const subject = asked['auth-tls-match-cn'];
  return subject !== undefined && subject !== first['auth-tls-match-cn'] ? 'auth-tls-match-cn' : undefined;
}

function secretOf({ metadata: { namespace = 'default' } }: Ingress, { 'auth-tls-secret': named }: Asked): string {
  return `${named?.namespace ?? namespace}/${named?.name}`;
}
