import { type handleClientStreamingCall, Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { checkResponse } from './check-response.ts';
import { type Decision, stableFor } from './route-request.ts';

const PATH = '/envoy.service.auth.v3.Authorization/Check';
/** Twice what Envoy sends at most by its own limit of 60 KiB for headers, of which the path is sent a second time. */
const MAX_MESSAGE_BYTES = 262_144;
/** Of one connection; Envoy opens more when it needs them. */
const MAX_STREAMS = 500;
/** Over all connections. */
const MAX_CHECKS = 2_000;
/** For callers that set no deadline of their own; Envoy does. */
const MESSAGE_TIMEOUT_MS = 1_000;

export interface CheckPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What becomes of a request; undefined: its message never came. */
  readonly route: (message: Buffer | undefined) => Decision;
  readonly answered: (decision: Decision, seconds: number) => void;
}

export interface CheckServer {
  /** Where it listens. */
  readonly port: number;
  /** Takes no more connections and answers what is under way; what is not done after `graceMs` is cut off. */
  stop(graceMs: number): Promise<void>;
}

/** Serves `envoy.service.auth.v3.Authorization/Check`. Rejects when it cannot listen there. */
export async function startCheckServer(
  at: { readonly host: string; readonly port: number },
  ports: CheckPorts,
): Promise<CheckServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    // Channelz stays on: without it `forceShutdown` of grpc-js 1.14 finds no connections to cut off.
  });
  const asTheyAre = (bytes: Buffer) => bytes;
  const method = {
    ...{ path: PATH, responseStream: false },
    // To the wire one message is as good as a stream of one: this way a check is known, and bounded, from its first bytes on.
    requestStream: true,
    ...{ requestSerialize: asTheyAre, requestDeserialize: asTheyAre },
    ...{ responseSerialize: asTheyAre, responseDeserialize: asTheyAre },
  };
  server.addService({ check: method }, { check: checkHandler(ports) });
  const address = `${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const stop = (graceMs: number) =>
    new Promise<void>((resolve) => {
      const giveUp = ports.clock.after(graceMs, () => server.forceShutdown());
      server.tryShutdown(() => {
        giveUp();
        resolve();
      });
    });
  return { port, stop };
}

/** Each check is decided in one step as soon as its message is there, so there is no queue that could grow. */
function checkHandler({ clock, logger, route, answered }: CheckPorts): handleClientStreamingCall<Buffer, Buffer> {
  let underWay = 0;
  const decide = (message: Buffer | undefined): Decision => {
    try {
      return route(message);
    } catch (error) {
      // A bug. Thrown on, it would end the process, and with it the routing of everybody else.
      logger.error({ error: String(error) }, 'a check failed');
      return stableFor('Failed');
    }
  };
  return (call, respond) => {
    const startedAtMs = performance.now();
    let isAnswered = false;
    const answer = (decision: () => Decision) => {
      if (isAnswered) return;
      isAnswered = true;
      cancelTimer();
      const decided = decision();
      respond(null, checkResponse(decided));
      answered(decided, (performance.now() - startedAtMs) / 1000);
    };
    const cancelTimer = clock.after(MESSAGE_TIMEOUT_MS, () => answer(() => decide(undefined)));
    underWay++;
    call.once('close', () => {
      underWay--;
      cancelTimer();
    });
    call.on('error', () => {}); // whoever asked is gone
    call.once('data', (message: Buffer) => answer(() => decide(message)));
    call.once('end', () => answer(() => decide(undefined))); // without a message
    if (underWay > MAX_CHECKS) answer(() => stableFor('Overloaded'));
  };
}
