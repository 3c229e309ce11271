import type { FastifyInstance } from 'fastify';
import { registerBatch } from './batch.ts';
import { registerConfigBundle } from './config-bundle.ts';
import { boundRequests, httpApp } from './http-app.ts';
import { registerDocument } from './http-document.ts';
import type { Load } from './load.ts';
import { EVENTS, registerOfrep } from './ofrep.ts';
import type { EvaluatorPorts } from './ports.ts';
import { tellChanges } from './tell-changes.ts';

/** The endpoints of the evaluator, not yet listening. `close()` answers what is under way and ends the event streams. */
export function evaluatorServer(ports: EvaluatorPorts, load: Load): FastifyInstance {
  const app = httpApp(ports.logger, ports.clock);
  ports.tracing?.traceRequests(app);
  boundRequests(app, load);
  registerOfrep(app, ports, () => EVENTS);
  registerBatch(app, ports);
  registerConfigBundle(app, ports);
  ports.events?.registerEvents(app, ['exposure', 'metric']);
  registerDocument(app, ports.events !== undefined);
  tellChanges(app, ports.holder, ports);
  countKnownFlags(app, ports);
  return app;
}

/** Counts of flags that a new ruleset does not have are left behind. */
function countKnownFlags(app: FastifyInstance, { holder, counts }: EvaluatorPorts): void {
  const unsubscribe = holder.subscribe(({ compiled }) => counts.keepOnly(compiled.flags));
  app.addHook('preClose', (done) => {
    unsubscribe();
    done();
  });
}
