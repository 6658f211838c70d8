/** The DNS sockets of a process, kept over reloads: only what hears them changes. */
import { err, ok, type Result } from '../../base/result.ts';
import type { MapAddress } from '../plugins/setup.ts';
import { formatHostPort, type HostPort, listenAddressOf } from './addresses.ts';
import { bindHttps } from './https.ts';
import type { ListenerPlan } from './instance.ts';
import type { RepeatedAnswers } from './repeats.ts';
import { bindTcp } from './tcp.ts';
import { type BoundSocket, bindUdp } from './udp.ts';
import { bindUdpEverywhere, type UdpAddress } from './udp-everywhere.ts';

export interface DnsDoor {
  readonly name: string;
  readonly transport: ListenerPlan['transport'];
  readonly address: string;
  readonly port: number;
}

export interface Listeners {
  /** Binds what is new; nothing changes hands yet. The error names what cannot be bound, and all stays as it was. */
  bind(plans: readonly ListenerPlan[]): Promise<Result<void, string>>;
  /** From now on these plans answer; sockets that none of them wants are closed. */
  serve(plans: readonly ListenerPlan[], graceMs: number): Promise<void>;
  doors(): DnsDoor[];
  close(graceMs: number): Promise<void>;
}

interface Listener {
  plan: ListenerPlan;
  readonly sockets: readonly BoundSocket[];
  readonly bound: HostPort;
}

const freePortAttempts = 10;
const everywhere: ReadonlySet<string> = new Set(['::', '0.0.0.0']);

export function createListeners(mapAddress: MapAddress): Listeners {
  const open = new Map<string, Listener>();

  async function bindPair(
    listener: { plan: ListenerPlan },
    wanted: { address: string; everywhere?: boolean; port: number },
  ): Promise<Result<BoundSocket[], NodeJS.ErrnoException>> {
    const handle: ListenerPlan['handle'] = (packet, client) => listener.plan.handle(packet, client);
    const limits = () => listener.plan.limits;
    if (listener.plan.transport !== 'dns') {
      const secure = () => listener.plan.tls;
      const onStatus = (status: number) => listener.plan.countStatus(status);
      const socket = await (listener.plan.transport === 'tls'
        ? bindTcp(handle, wanted, limits, secure)
        : bindHttps(wanted, { handle, limits, secure, onStatus }));
      return socket.ok ? ok([socket.value]) : socket;
    }
    const repeats: RepeatedAnswers = {
      answer: (packet, address) => listener.plan.repeats?.answer(packet, address),
      release: () => listener.plan.repeats?.release(),
    };
    const bindSocket = (listen: UdpAddress) => bindUdp(handle, listen, {}, repeats);
    const udp = await (everywhere.has(wanted.address) ? bindUdpEverywhere(bindSocket, wanted) : bindSocket(wanted));
    if (!udp.ok) return udp;
    const tcp = await bindTcp(handle, { ...wanted, port: udp.value.port }, limits);
    if (tcp.ok) return ok([udp.value, tcp.value]);
    await udp.value.close();
    return tcp;
  }

  async function bindOne(plan: ListenerPlan): Promise<Result<Listener, string>> {
    const { host, port } = mapAddress({ host: plan.host, port: plan.port });
    const holder: { plan: ListenerPlan } = { plan };
    let attempt = await bindPair(holder, { ...listenAddressOf(host), port });
    // No IPv6 on this machine: every address is every IPv4 address.
    if (!attempt.ok && host === '' && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(attempt.error.code ?? ''))
      attempt = await bindPair(holder, { address: '0.0.0.0', port });
    for (let i = 1; i < freePortAttempts && !attempt.ok && port === 0; i++)
      attempt = await bindPair(holder, { ...listenAddressOf(host), port });
    if (!attempt.ok) return err(`cannot listen on ${plan.name}: ${attempt.error.message}`);
    const bound = { host, port: attempt.value[0]!.port };
    return ok(Object.assign(holder, { sockets: attempt.value, bound }));
  }

  return {
    async bind(plans) {
      const made = new Map<string, Listener>();
      for (const plan of plans) {
        if (open.has(plan.name)) continue;
        const listener = await bindOne(plan);
        if (!listener.ok) {
          await Promise.all([...made.values()].flatMap(({ sockets }) => sockets.map((socket) => socket.close())));
          return listener;
        }
        made.set(plan.name, listener.value);
      }
      for (const [name, listener] of made) open.set(name, listener);
      return ok(undefined);
    },
    async serve(plans, graceMs) {
      for (const plan of plans) open.get(plan.name)!.plan = plan;
      const wanted = new Set(plans.map(({ name }) => name));
      const left = [...open].filter(([name]) => !wanted.has(name));
      for (const [name] of left) open.delete(name);
      await Promise.all(left.flatMap(([, { sockets }]) => sockets.map((socket) => socket.close(graceMs))));
    },
    doors: () =>
      [...open.values()].map(({ plan, bound }) => ({
        ...{ name: plan.name, transport: plan.transport, port: bound.port },
        address: bound.host,
      })),
    async close(graceMs) {
      const sockets = [...open.values()].flatMap((listener) => listener.sockets);
      open.clear();
      await Promise.all(sockets.map((socket) => socket.close(graceMs)));
    },
  };
}

/** `dns://127.0.0.1:53`. */
export function formatDoor({ transport, address, port }: DnsDoor): string {
  return `${transport}://${formatHostPort({ host: address, port })}`;
}
