import {
  type Attributes,
  DiagLogLevel,
  defaultTextMapGetter,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Answer } from '../core/evaluation/answer.ts';
import type { CompiledRuleset } from '../core/evaluation/compile.ts';
import { isEvents } from './ofrep.ts';
import type { Tracing } from './ports.ts';
import { samplerOf } from './trace-sampler.ts';

const PROVIDER = 'sluice';
/** What is left is sent for so long at the end. */
const FLUSH_MS = 3_000;
const MAX_LOGGED_CHARS = 500;

export interface StartedTracing extends Tracing {
  stop(): Promise<void>;
}

/**
 * Spans for requests, sent by OTLP over HTTP in JSON. OpenTelemetry's environment variables say where to and how many. Nothing of
 * a context is in them. This file alone brings OpenTelemetry in, so import it only where it is asked for.
 */
export function startTracing(
  env: NodeJS.ProcessEnv,
  { clock, logger }: { clock: Clock; logger: Logger },
): StartedTracing {
  const tell = (message: string) => logger.warn({}, `tracing: ${message.slice(0, MAX_LOGGED_CHARS)}`);
  const quiet = () => {};
  diag.setLogger({ error: tell, warn: quiet, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.ERROR);
  const named = resourceFromAttributes({ 'service.name': 'sluice-evaluator' });
  const said = detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] });
  const provider = new TracerProvider({
    resource: defaultResource().merge(named).merge(said),
    sampler: samplerOf(env.OTEL_TRACES_SAMPLER, env.OTEL_TRACES_SAMPLER_ARG),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer(PROVIDER);
  const propagator = new W3CTraceContextPropagator();
  const spans = new WeakMap<FastifyRequest, Span>();
  const begin = (request: FastifyRequest, reply: FastifyReply) => {
    const { method, routeOptions, url } = request;
    const route = routeOptions.url;
    const attributes = { 'http.request.method': method, 'url.path': url.split('?')[0], 'url.scheme': 'http' };
    const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
    const span = tracer.startSpan(
      route === undefined ? method : `${method} ${route}`,
      { kind: SpanKind.SERVER, attributes: { ...attributes, ...(route !== undefined && { 'http.route': route }) } },
      parent,
    );
    if (!span.isRecording()) return;
    spans.set(request, span);
    // Comes once, also for a client that has left.
    reply.raw.once('close', () => end(span, reply.raw.statusCode));
  };
  return {
    traceRequests: (app: FastifyInstance) => {
      app.addHook('onRequest', (request, reply, done) => {
        if (!isEvents(request.url)) begin(request, reply); // a stream lasts for hours
        done();
      });
    },
    answeredBy: (request, { flagSetId, revision }: CompiledRuleset) => {
      spans.get(request)?.setAttributes({
        'feature_flag.provider.name': PROVIDER,
        'feature_flag.set.id': flagSetId,
        'feature_flag.version': String(revision),
      });
    },
    evaluated: (request, key, answer) => {
      spans.get(request)?.addEvent('feature_flag.evaluation', evaluationAttributes(key, answer));
    },
    stop: () => {
      const flushed = provider.shutdown().catch((error: unknown) => tell(`what was left is lost: ${String(error)}`));
      return withinFlush(clock, flushed);
    },
  };
}

function end(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** OpenTelemetry's semantic conventions for feature flags (release candidate, 1.54). */
export function evaluationAttributes(key: string, answer: Answer): Attributes {
  const { flagSetId, version } = answer.metadata;
  return {
    'feature_flag.key': key,
    'feature_flag.provider.name': PROVIDER,
    'feature_flag.result.reason': answer.kind === 'Failed' ? 'error' : answer.reason.toLowerCase(),
    ...(answer.kind === 'Served' && { 'feature_flag.result.variant': answer.variant }),
    ...(answer.kind === 'Failed' && { 'error.type': answer.errorCode.toLowerCase() }),
    ...(flagSetId !== undefined && { 'feature_flag.set.id': flagSetId }),
    ...(version !== undefined && { 'feature_flag.version': version }),
  };
}

/** Resolves with `work` or when it takes too long: what could not be sent is no reason to stay. */
function withinFlush(clock: Clock, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(FLUSH_MS, resolve);
    void work.then(resolve).finally(cancel);
  });
}
