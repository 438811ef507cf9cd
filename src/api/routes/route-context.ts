import type { NodePorts } from '../../node/ports.ts';
import type { RequestAuth } from '../request-auth.ts';

/** What every family of routes is given. */
export interface RouteContext {
  readonly ports: NodePorts;
  readonly auth: RequestAuth;
  /** Aborted when the server begins to close: whoever waits or streams stops. */
  readonly closing: AbortSignal;
  readonly eventStreamsMax: number;
}
