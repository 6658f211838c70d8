/** What the three kinds of Service addresses have in common. */
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import type { Service, ServiceSpec } from '../../kube/types/index.ts';

/** Claiming comes before allocating for all new Services, so that the order in which they were read does not count. */
export interface Allotment {
  /** Takes what a Service asks for, as far as it is free, and gives back what it no longer needs. */
  claim(service: Service): void;
  /** Fills up what it lacks. */
  allocate(service: Service): void;
  /** Gives back all that the Service (`namespace/name`) holds. */
  release(key: string): void;
}

/** A spec with what was allotted, and what could not be granted. */
export interface Allotted {
  readonly spec: ServiceSpec;
  readonly findings: readonly Diagnostic[];
}
