import type { FastifyInstance } from 'fastify';
import { configTag } from '../rulesets/holder.ts';
import { registerBatch } from './batch.ts';
import { registerConfigBundle } from './config-bundle.ts';
import { boundRequests, httpApp } from './http-app.ts';
import { registerDocument } from './http-document.ts';
import type { Load } from './load.ts';
import { EVENTS, registerOfrep } from './ofrep.ts';
import type { EvaluatorPorts } from './ports.ts';

/** The endpoints of the evaluator, not yet listening. `close()` answers what is under way and ends the event streams. */
export function evaluatorServer(ports: EvaluatorPorts, load: Load): FastifyInstance {
  const app = httpApp(ports.logger);
  ports.tracing?.traceRequests(app);
  boundRequests(app, load);
  registerOfrep(app, ports, () => EVENTS);
  registerBatch(app, ports);
  registerConfigBundle(app, ports);
  ports.events?.registerEvents(app, ['exposure', 'metric']);
  registerDocument(app, ports.events !== undefined);
  tellChanges(app, ports);
  return app;
}

/** Event streams hear of every swap and every time boundary, and end with the server. */
function tellChanges(app: FastifyInstance, { holder, clock, streams, counts }: EvaluatorPorts): void {
  const unsubscribe = holder.subscribe((held) => {
    const now = clock.now();
    counts.keepOnly(held.compiled.flags);
    streams.tell({ tag: configTag(held, now), atSeconds: Math.floor(now / 1000) });
  });
  app.addHook('preClose', (done) => {
    unsubscribe();
    streams.stop();
    done();
  });
}
