import { execFileSync, spawnSync } from 'node:child_process';
import { CLEAR_LINE, type FaultNetwork, type LineShape, numberOfPeer } from './network.ts';

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
  const canShape = hasNetem();
  const blocked = new Set<string>();
  return {
    mode: 'namespaces',
    canShape,
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
      if (!canShape) throw new Error('this kernel cannot delay packets');
      shapeLine(from, to, shape);
    },
    heal() {
      for (const rule of blocked) {
        const [from, to] = rule.split('/').map(Number) as [number, number];
        run('ip', 'rule', 'del', ...ruleOf(from, to));
      }
      blocked.clear();
      if (canShape)
        for (const from of numbers) for (const to of numbers) if (from !== to) shapeLine(from, to, CLEAR_LINE);
    },
    async close() {
      this.heal();
      for (const number of numbers) run('ip', 'netns', 'del', nameOf(number));
      for (const number of numbers) spawnSync('ip', ['link', 'del', `to-node-${number}`]);
    },
  };
}

function addNamespace(number: number): void {
  const name = nameOf(number);
  const gateway = `10.99.${number + 1}.1`;
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', `to-node-${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  run('ip', 'addr', 'add', `${gateway}/24`, 'dev', `to-node-${number}`);
  run('ip', 'link', 'set', `to-node-${number}`, 'up');
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  run('ip', '-n', name, 'addr', 'add', `${addressOf(number)}/24`, 'dev', 'eth0');
  run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  run('ip', '-n', name, 'route', 'add', 'default', 'via', gateway);
}

/** One band for each sender on the receiver's device, each with its own netem; the filter goes by the source. */
function shapeLine(from: number, to: number, shape: LineShape): void {
  const device = `to-node-${to}`;
  if (spawnSync('tc', ['class', 'show', 'dev', device], { encoding: 'utf8' }).stdout.trim() === '')
    run('tc', 'qdisc', 'replace', 'dev', device, 'root', 'handle', '1:', 'htb', 'default', '99');
  const band = `1:${from + 1}`;
  const rate = shape.bytesPerSecond === null ? '10gbit' : `${shape.bytesPerSecond * 8}bit`;
  run('tc', 'class', 'replace', 'dev', device, 'parent', '1:', 'classid', band, 'htb', 'rate', rate);
  const delay = ['delay', `${shape.delayMs + shape.jitterMs / 2}ms`, `${shape.jitterMs / 2}ms`];
  const loss = ['loss', `${shape.loss * 100}%`];
  const handle = `${from + 10}:`;
  run('tc', 'qdisc', 'replace', 'dev', device, 'parent', band, 'handle', handle, 'netem', ...delay, ...loss);
  const match = ['protocol', 'ip', 'prio', String(from + 1), 'u32', 'match', 'ip', 'src', addressOf(from)];
  spawnSync('tc', ['filter', 'del', 'dev', device, 'parent', '1:', 'prio', String(from + 1)]);
  run('tc', 'filter', 'add', 'dev', device, 'parent', '1:', ...match, 'flowid', band);
}

function hasNetem(): boolean {
  const { status } = spawnSync('tc', ['qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '0ms']);
  if (status === 0) run('tc', 'qdisc', 'del', 'dev', 'lo', 'root');
  return status === 0;
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
