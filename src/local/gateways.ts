/** Gateways and Ingresses of a local front door: controller and data plane, and what they tell about traffic. */
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.ts';
import { createAcmeManager } from '../control/acme/manager.ts';
import { type AcmePlace, challengesName } from '../control/acme/names.ts';
import { localAcmeObjects } from '../control/acme/objects.ts';
import { type ControllerOptions, type ControllerState, createController } from '../control/controller.ts';
import { createLocalEventSink } from '../control/events/event-sink.ts';
import { createEvents } from '../control/events.ts';
import { createFrontDoorNames, type FrontDoorNames } from '../control/front-door-names.ts';
import { createInfrastructure, localSink } from '../control/infrastructure.ts';
import { createLocalStatusSink } from '../control/status-sink.ts';
import type { ManifestSource } from '../kube/manifests/source.ts';
import type { ObjectApi } from '../kube/objects.ts';
import type { AddressBook } from '../routing/translate.ts';
import type { BindPolicy } from '../service/bind.ts';
import type { ExternalOptions } from '../service/external-endpoints.ts';
import { createDataPlane, type DataPlaneWishes } from './data-plane.ts';
import type { Teardown } from './teardown.ts';
import type { Telemetry } from './telemetry.ts';

export interface LocalGatewaysOptions {
  readonly objects: ObjectApi;
  readonly addresses: AddressBook;
  readonly adopt: boolean;
  readonly source: Pick<ManifestSource, 'position' | 'placements'>;
  readonly bind: BindPolicy;
  readonly external?: ExternalOptions | undefined;
  readonly wishes: DataPlaneWishes;
  readonly telemetry: Telemetry;
  readonly teardown: Teardown;
  /** See TranslateInput. */
  readonly ingressNginx?: ControllerOptions['ingressNginx'];
  /** ConfigMap of ACME's issuers, and where its state is kept. */
  readonly acme: AcmePlace;
  /** Names that lead to the front door, of which at least one has come, changed or gone: those alone. */
  onNames(changes: FrontDoorNames): void;
  onFinding(finding: Diagnostic): void;
  /** Findings of those that `diagnostics` gives may be others now. */
  onChange(): void;
  onError(message: string): void;
}

export interface LocalGateways {
  diagnostics(): readonly Diagnostic[];
  /** Resolves when no change is on its way to the data plane. */
  settled(): Promise<void>;
  /** Sends changed endpoints now. */
  deliverEndpoints(): void;
  readonly state?: () => ControllerState;
}

/** Where somebody else is to serve them. */
export const noGateways: LocalGateways = {
  diagnostics: () => [],
  settled: () => Promise.resolve(),
  deliverEndpoints: () => undefined,
};

export function openGateways(options: LocalGatewaysOptions): LocalGateways {
  const { objects, source, bind, teardown, onError } = options;
  const { store } = objects;
  const proxy = createDataPlane(options.wishes, options.telemetry, (finding) => {
    // Listeners that could not be bound are in the controller's state for as long as that lasts.
    if (finding.code !== 'FW5201') options.onFinding(finding);
  });
  teardown.add((left) => proxy.close(left()));
  const changedNames = createFrontDoorNames();
  const infrastructure = createInfrastructure({ store, sink: localSink(objects), onError });
  teardown.add(() => infrastructure.stop());
  const events = createEvents({ store, sink: createLocalEventSink(objects), instance: 'fairway-up', onError });
  teardown.add(() => events.stop());
  const acme = createAcmeManager({
    ...{ store, objects: localAcmeObjects(objects), place: options.acme, adopt: options.adopt },
    ...{ position: source.position, userAgent: 'fairway-up', isLeader: () => true, onChange: options.onChange },
    log: (level, text) => level === 'warning' && onError(text),
  });
  teardown.add(() => acme.stop());
  /** Without what is on its way. */
  const controller = createController({
    ...{ store, proxy, bind, onError, addresses: options.addresses, adopt: options.adopt },
    challenges: `${options.acme.namespace}/${challengesName}`,
    ...(options.ingressNginx && { ingressNginx: options.ingressNginx }),
    statuses: createLocalStatusSink(objects),
    position: source.position,
    placements: source.placements,
    ...(options.external && { external: options.external }),
    onFinding: options.onFinding,
    onSettled: (state) => {
      infrastructure.apply(state.generated);
      acme.update(state.plan);
      events.tell(acme.told(state.diagnostics));
      const names = changedNames(state.plan);
      if (names.size > 0) options.onNames(names);
    },
  });
  teardown.add(() => controller.stop());
  controller.start();
  return {
    state: () => controller.state,
    diagnostics: () => [...acme.told(controller.state.diagnostics), ...unboundFindings(controller.state.unbound)],
    settled: () => controller.settled(),
    deliverEndpoints: () => controller.deliverEndpoints(),
  };
}

/** One finding for each listener of the plan that has no socket. */
function unboundFindings(unbound: ControllerState['unbound']): Diagnostic[] {
  return Object.entries(unbound).map(([id, reason]) =>
    diagnostic('FW5201', { message: `cannot listen on ${id}: ${reason}` }),
  );
}
