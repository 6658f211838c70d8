/** The node's resolv.conf as the kubelet reads it (kubernetes pkg/kubelet/network/dns, parseResolvConf). */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';

export interface NodeResolvConf {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** As written: `ndots:2`, `rotate`. */
  readonly options: readonly string[];
  /** A malformed file keeps the kubelet from starting any Pod. */
  readonly findings: readonly Diagnostic[];
}

/**
 * `nameserver` lines accumulate and take their first word; of `search` and `options` the last line wins, and searches
 * lose their trailing dot. A `#` comments only at the start of a line; all other keywords are ignored.
 */
export function parseNodeResolvConf(text: string): NodeResolvConf {
  const nameservers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  const findings: Diagnostic[] = [];
  const readers: Record<string, (values: string[], line: number) => void> = {
    nameserver([address], line) {
      if (address) nameservers.push(address);
      else findings.push(diagnostic('FW4106', { message: `line ${line}: nameserver without an address` }));
    },
    search(values) {
      searches = values.map((value) => value.replace(/\.$/, ''));
    },
    options(values) {
      options = values;
    },
  };
  for (const [i, line] of text.split('\n').entries()) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword && Object.hasOwn(readers, keyword)) readers[keyword]!(values, i + 1);
  }
  return { nameservers, searches, options, findings };
}
