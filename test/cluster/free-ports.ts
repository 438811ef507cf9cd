import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which systems draw the ports of outgoing connections. */
const FIRST_PORT = 10_000;
const LAST_PORT = 31_000;
/** Distances of a testnet node's ports from the one of its API: for the other nodes, and for its operator. */
const OFFSETS = [0, 100, 200];
const ATTEMPTS = 50;

/** A first API port for a testnet of `nodes` nodes, all of whose ports are free on loopback at this moment. */
export async function findFreePorts(nodes: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const first = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const ports = OFFSETS.flatMap((offset) => Array.from({ length: nodes }, (_, node) => first + offset + node));
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error('found no free ports on loopback');
}

/** Whether a server can listen on this port of loopback now. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
