import type { FastifyInstance } from 'fastify';
import { configTag, type RulesetHolder } from '../rulesets/holder.ts';
import type { AnswerPorts } from './ports.ts';

/** The event streams of a server hear of every swap and every time boundary, and end with the server. */
export function tellChanges(
  app: FastifyInstance,
  holder: RulesetHolder,
  { clock, streams }: Pick<AnswerPorts, 'clock' | 'streams'>,
): void {
  const unsubscribe = holder.subscribe((held) => {
    const now = clock.now();
    streams.tell({ tag: configTag(held, now), atSeconds: Math.floor(now / 1000) });
  });
  app.addHook('preClose', (done) => {
    unsubscribe();
    streams.stop();
    done();
  });
}
