import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import { messageHeight } from '../../src/consensus/messages.ts';
import { Telling } from '../consensus/telling.ts';
import { short } from './invariants.ts';
import type { SimulatedNode } from './node.ts';

/** Lines kept of a run: its end is what matters. */
const LINES_MAX = 100_000;

/** Writes down what happens in a run, in the words of the interaction scripts; nodes by number. */
export class Narrator {
  readonly #lines: string[] = [];

  get lines(): readonly string[] {
    return this.#lines;
  }

  readonly onStep = (nowMs: number, node: SimulatedNode, input: Input, effects: readonly Effect[]): void => {
    const telling = new Telling(short, (publicKey) => node.world.nodesOf(publicKey)[0]?.number ?? -1);
    const told = effects.map((effect) => telling.effect(effect)).filter((text) => text !== undefined);
    const place = `${String(nowMs).padStart(6)} ms  node ${node.name}`;
    if (this.#lines.length >= LINES_MAX) this.#lines.shift();
    this.#lines.push(
      `${place}: ${inputText(telling, node, input)}${told.map((text) => `\n             ${text}`).join('')}`,
    );
  };
}

function inputText(telling: Telling, node: SimulatedNode, input: Input): string {
  switch (input.kind) {
    case 'Message': {
      const { message } = input;
      const from = node.world.nodesOf(input.from)[0]?.number;
      const signer = 'signer' in message ? ` signed by seat ${message.signer}` : '';
      return `${telling.message(message)} of height ${messageHeight(message)}${signer}, from ${from}`;
    }
    case 'Timeout':
      return `${input.timer} timeout`;
    case 'PendingChanged':
    case 'PendingRechecked':
      return `${input.kind}: ${input.applicable}`;
    case 'Validated':
      return `Validated ${short(input.blockHash)}: ${input.result.kind === 'valid' ? 'valid' : input.result.code}`;
    case 'Start':
      return `Start at height ${input.context.height}, journal ${input.journal}`;
    case 'Applied':
      return `Applied, height ${input.context.height} begins`;
    default:
      return input.kind;
  }
}
