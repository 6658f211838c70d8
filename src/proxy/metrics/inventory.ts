/** What the data plane has been given: its plan, certificates and endpoints, as gauges. */
import { X509Certificate } from 'node:crypto';
import type { BackendId, Certificate, CertificateId, Plan } from '../../routing/plan/plan.ts';
import type { Endpoint } from '../../service/endpoints.ts';
import type { TelemetryOptions } from '../options.ts';
import type { Families } from './families.ts';

/** Label of what has no series of its own. */
export const MORE = '(more)';

export interface Inventory {
  plan(generation: number, plan: Plan): void;
  endpoints(changed: Readonly<Record<BackendId, readonly Endpoint[] | null>>): void;
  /** Brings the gauges up to date. */
  refresh(): void;
}

export function createInventory(families: Families, limits: TelemetryOptions): Inventory {
  const expiry = createExpiry();
  const counts = new Map<BackendId, { readonly all: number; readonly ready: number }>();
  let certificates: Plan['certificates'] = {};
  let since = 0;

  function refreshCertificates(): void {
    const all = Object.values(certificates);
    families.certificates.with().set(all.length);
    families.certificateExpiry.reset();
    for (const { id, seconds } of expiry.of(all.slice(0, limits.maxCertificateSeries))) {
      families.certificateExpiry.with(id).set(seconds);
    }
  }

  function refreshEndpoints(): void {
    families.endpoints.reset();
    let place = 0;
    for (const [id, { all, ready }] of counts) {
      const label = place++ < limits.maxBackendSeries ? id : MORE;
      families.endpoints.with(label, 'known').inc(all);
      families.endpoints.with(label, 'ready').inc(ready);
    }
  }

  return {
    plan(generation, plan) {
      certificates = plan.certificates;
      since = performance.now();
      families.planGeneration.with().set(generation);
    },
    endpoints(changed) {
      for (const [id, list] of Object.entries(changed)) {
        if (list) counts.set(id, { all: list.length, ready: list.filter(({ ready }) => ready).length });
        else counts.delete(id);
      }
    },
    refresh() {
      families.planAge.with().set(since === 0 ? 0 : (performance.now() - since) / 1000);
      refreshCertificates();
      refreshEndpoints();
    },
  };
}

interface Dated {
  readonly id: CertificateId;
  /** Unix time. */
  readonly seconds: number;
}

/** Reads certificates when they are asked for, and each once. What cannot be read has a finding (FW5202) and no date. */
function createExpiry() {
  let known = new Map<CertificateId, { readonly chain: string; readonly seconds: number | undefined }>();

  function entryOf({ id, chain }: Certificate) {
    const kept = known.get(id);
    return kept?.chain === chain ? kept : { chain, seconds: expiryOf(chain) };
  }

  return {
    of(certificates: readonly Certificate[]): Dated[] {
      known = new Map(certificates.map((certificate) => [certificate.id, entryOf(certificate)]));
      return [...known].flatMap(([id, { seconds }]) => (seconds === undefined ? [] : [{ id, seconds }]));
    },
  };
}

/** End of the leaf's validity as Unix time; undefined when it is not a certificate. */
function expiryOf(chain: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(chain).validTo) / 1000;
  } catch {
    return undefined;
  }
}
