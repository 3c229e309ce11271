import { REVISION_HEADER, UNIT_HEADER, VARIANT_HEADER } from '../../wire/per-user-routing.ts';
import { delimited } from './protobuf.ts';

/** What becomes of a request. */
export interface Routing {
  readonly variant: 'canary' | 'stable';
  /** Of the canary; undefined with stable. */
  readonly revision: string | undefined;
  /** Undefined: nobody knows who asks. */
  readonly unit: string | undefined;
  /** A Set-Cookie header for the answer. */
  readonly setCookie: string | undefined;
}

/** Field numbers of external_auth.proto. */
const STATUS = 1;
const OK_RESPONSE = 3;
const HEADERS = 2;
const HEADERS_TO_REMOVE = 5;
const RESPONSE_HEADERS_TO_ADD = 6;
/** Of base.proto. */
const HEADER = 1;
const APPEND = 2;
const KEY = 1;
const VALUE = 2;

/** An empty google.rpc.Status is OK. Requests are never denied here: who authorises is somebody else. */
const OK = delimited(STATUS, '');
/** An empty BoolValue is false. Said in this old way because every Envoy understands it. */
const OVERWRITE = delimited(APPEND, '');

const removeUnit = delimited(HEADERS_TO_REMOVE, UNIT_HEADER);
const removeRevision = delimited(HEADERS_TO_REMOVE, REVISION_HEADER);
const variants = { canary: overwriting(VARIANT_HEADER, 'canary'), stable: overwriting(VARIANT_HEADER, 'stable') };

/**
 * An `envoy.service.auth.v3.CheckResponse` that lets the request pass. What a client sent under our names is overwritten or
 * removed. Unit, revision and cookie are ASCII.
 */
export function checkResponse({ variant, revision, unit, setCookie }: Routing): Buffer {
  const ofRevision = revision === undefined ? removeRevision : overwriting(REVISION_HEADER, revision);
  const ofUnit = unit === undefined ? removeUnit : overwriting(UNIT_HEADER, unit);
  // Without a word on appending it is added beside the application's own cookies, in Envoy 1.39.
  const cookie = setCookie === undefined ? '' : delimited(RESPONSE_HEADERS_TO_ADD, header('set-cookie', setCookie));
  return Buffer.from(OK + delimited(OK_RESPONSE, variants[variant] + ofRevision + ofUnit + cookie), 'latin1');
}

function overwriting(name: string, value: string): string {
  return delimited(HEADERS, header(name, value) + OVERWRITE);
}

function header(name: string, value: string): string {
  return delimited(HEADER, delimited(KEY, name) + delimited(VALUE, value));
}
