import { execFileSync, spawnSync } from 'node:child_process';
import { type FaultNetwork, type LineShape, numberOfPeer } from './network.ts';

/** Set in the process that has namespaces of its own. */
const INSIDE = 'MEDLEDGER_FAULTS_INSIDE';

/** Proves what a run needs: a private /run for the names, pairs of devices, routing by source. */
const PROBE = [
  'mount -t tmpfs tmpfs /run',
  'ip link set lo up',
  'ip netns add probe',
  'ip link add p0 type veth peer name p1 netns probe',
  'ip rule add from 10.99.0.1 to 10.99.0.2 blackhole',
  'echo 1 > /proc/sys/net/ipv4/ip_forward',
].join(' && ');

/**
 * The command that gives a process a network and a mount table of its own, or why there is none here. Both are gone
 * with the last process in them, however that ends: nothing that is made there has to be removed.
 */
export function privateWorld(): { readonly command: readonly string[] } | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: 'this is not Linux' };
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const command = ['unshare', ...asUser, '--net', '--mount', '--propagation', 'private'];
  const { error, status, stderr } = spawnSync(command[0]!, [...command.slice(1), 'sh', '-c', PROBE], {
    encoding: 'utf8',
  });
  if (error !== undefined) return { missing: `unshare cannot be run (${(error as NodeJS.ErrnoException).code})` };
  if (status !== 0) return { missing: stderr.trim().split('\n')[0] ?? `unshare ended with ${status}` };
  return { command };
}

/** Whether this process runs in a network of its own. */
export function isInsideWorld(): boolean {
  return process.env[INSIDE] === '1';
}

/** The environment of the process that is to run in a network of its own. */
export function environmentInside(): NodeJS.ProcessEnv {
  return { ...process.env, [INSIDE]: '1' };
}

/** Prepares the private network of this process: loopback, forwarding, a place for the names of namespaces. */
export function prepareWorld(): void {
  run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  run('ip', 'link', 'set', 'lo', 'up');
  run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
}

/**
 * A network of the kernel's: a namespace for each node, each joined to this process's own, which routes between them.
 * A line is blocked by a rule for its two addresses, so that packets vanish there without a word.
 */
export function openNamespaceNetwork(nodes: number): FaultNetwork {
  const numbers = Array.from({ length: nodes }, (_, number) => number);
  for (const number of numbers) addNamespace(number);
  const shaped = new Set<string>();
  const blocked = new Set<string>();
  return {
    mode: 'namespaces',
    rewire(number, config) {
      const port = (multiaddr: string) => /\/tcp\/([0-9]+)$/.exec(multiaddr)![1];
      const peers = config.p2p.peers.map((peer) => ({
        ...peer,
        addresses: peer.addresses.map((at) => `/ip4/${addressOf(numberOfPeer(peer.name))}/tcp/${port(at)}`),
      }));
      const listen = config.p2p.listen.map((at) => `/ip4/${addressOf(number)}/tcp/${port(at)}`);
      return { ...config, p2p: { ...config.p2p, listen, peers }, api: { ...config.api, host: addressOf(number) } };
    },
    surroundings: (number) => ({ prefix: ['ip', 'netns', 'exec', nameOf(number)], environment: {} }),
    block(from, to) {
      const rule = `${from}/${to}`;
      if (blocked.has(rule)) return;
      blocked.add(rule);
      run('ip', 'rule', 'add', ...ruleOf(from, to));
    },
    shape(from, to, shape) {
      if (shaped.size === 0)
        for (const number of numbers) run('tc', ...'qdisc replace root handle 1: htb dev'.split(' '), deviceTo(number));
      shapeLine(from, to, shape, !shaped.has(`${from}/${to}`));
      shaped.add(`${from}/${to}`);
    },
    heal() {
      for (const rule of blocked) {
        const [from, to] = rule.split('/').map(Number) as [number, number];
        run('ip', 'rule', 'del', ...ruleOf(from, to));
      }
      blocked.clear();
      if (shaped.size > 0) for (const number of numbers) run('tc', 'qdisc', 'del', 'dev', deviceTo(number), 'root');
      shaped.clear();
    },
    async close() {
      this.heal();
      for (const number of numbers) run('ip', 'netns', 'del', nameOf(number));
      for (const number of numbers) spawnSync('ip', ['link', 'del', deviceTo(number)]);
    },
  };
}

function addNamespace(number: number): void {
  const name = nameOf(number);
  const gateway = `10.99.${number + 1}.1`;
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', deviceTo(number), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  run('ip', 'addr', 'add', `${gateway}/24`, 'dev', deviceTo(number));
  run('ip', 'link', 'set', deviceTo(number), 'up');
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  run('ip', '-n', name, 'addr', 'add', `${addressOf(number)}/24`, 'dev', 'eth0');
  run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', name, 'route', 'add', 'default', 'via', gateway);
}

/**
 * One class for each sender on the device to the receiver, its packets found by their source, with a netem of its own;
 * the device has an htb already.
 */
function shapeLine(from: number, to: number, shape: LineShape, isNew: boolean): void {
  const { delayMs, jitterMs, loss, bytesPerSecond } = shape;
  const tc = (what: string, rest: string) => run('tc', ...what.split(' '), 'dev', deviceTo(to), ...rest.split(' '));
  const order = from + 1;
  const rate = bytesPerSecond === null ? '10gbit' : `${bytesPerSecond * 8}bit`;
  tc('class replace', `parent 1: classid 1:${order} htb rate ${rate}`);
  const delay = `delay ${delayMs + jitterMs / 2}ms ${jitterMs / 2}ms`;
  tc('qdisc replace', `parent 1:${order} handle ${order + 10}: netem ${delay} loss ${loss * 100}%`);
  if (isNew)
    tc('filter add', `parent 1: protocol ip prio ${order} u32 match ip src ${addressOf(from)} flowid 1:${order}`);
}

/** Whether this process may delay and lose packets: it has a network of its own, and the kernel has what it takes. */
export function canShapePackets(): boolean {
  if (!isInsideWorld()) return false;
  const { status } = spawnSync('tc', 'qdisc add dev lo root netem delay 1ms'.split(' '));
  if (status === 0) run('tc', 'qdisc', 'del', 'dev', 'lo', 'root');
  return status === 0;
}

function deviceTo(number: number): string {
  return `to-node-${number}`;
}

function nameOf(number: number): string {
  return `node-${number}`;
}

function addressOf(number: number): string {
  return `10.99.${number + 1}.2`;
}

function ruleOf(from: number, to: number): readonly string[] {
  return ['from', addressOf(from), 'to', addressOf(to), 'blackhole'];
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
