/** The table of every error code Parley answers with, and the body it answers in. */

import { CONVERSATION_ERRORS } from './conversation-errors.ts'
import { type ErrorFacts, fact, INVALID, LIMIT, SERVER } from './error-facts.ts'

/** Every code an answer of ours can carry. `docs/errors.md` is the same table in prose; a test holds them equal. */
export const ERRORS = {
  // Keys, hosts and origins
  missing_api_key: fact(
    401,
    INVALID,
    'final',
    'No key was shown where one is needed.',
    "Send `Authorization: Bearer KEY`, or `api-key: KEY`; in a browser's WebSocket the subprotocol `openai-insecure-api-key.KEY`.",
  ),
  invalid_api_key: fact(
    401,
    INVALID,
    'final',
    "The key is none of this server's.",
    'Check the key against `keys` in the settings; it may have been taken out.',
  ),
  client_secret_not_allowed: fact(
    403,
    INVALID,
    'final',
    'A client secret was shown where a key is needed.',
    'Make this request from your backend, with its key.',
  ),
  client_secrets_full: fact(
    429,
    LIMIT,
    'retry',
    'The key has as many unexpired client secrets as it may.',
    'Let them expire sooner with `expires_after`, or use one for several connections.',
  ),
  host_not_allowed: fact(
    403,
    INVALID,
    'final',
    'Without keys the server answers only requests that name this machine in `Host`.',
    'Call it as `localhost` or `127.0.0.1`, or configure `keys`.',
  ),
  origin_not_allowed: fact(
    403,
    INVALID,
    'final',
    'The web page that made the request is of another origin.',
    "Add the page's origin to `origins` in the settings.",
  ),
  // HTTP
  not_found: fact(
    404,
    INVALID,
    'final',
    'There is nothing at this address.',
    'Compare the path and the method with the documentation.',
  ),
  turn_not_found: fact(
    404,
    INVALID,
    'final',
    'No turn of this id is kept, or it belongs to another key.',
    'Ask sooner, or keep more with `limits.turnsKept`.',
  ),
  model_not_found: fact(
    404,
    INVALID,
    'final',
    'No pipeline or target has this name.',
    '`GET /v1/models` lists the names.',
  ),
  upgrade_required: fact(
    426,
    INVALID,
    'final',
    'The endpoint speaks WebSocket and was asked by plain HTTP.',
    'Connect with a WebSocket client.',
  ),
  payload_too_large: fact(
    413,
    INVALID,
    'final',
    "The request's body is larger than the endpoint takes.",
    'Send less at once.',
  ),
  unsupported_media_type: fact(
    415,
    INVALID,
    'final',
    "The body's content type is not one the endpoint reads.",
    'Send JSON with `Content-Type: application/json`.',
  ),
  internal_error: fact(
    500,
    SERVER,
    'retry',
    'A fault of the server.',
    'Try again; the log names the cause. Please report it.',
  ),
  // Sessions
  server_full: fact(
    503,
    SERVER,
    'retry',
    'As many sessions are open as `limits.sessions` allows.',
    'Try again in a few seconds, or raise the limit if the machine can bear it.',
  ),
  key_sessions_full: fact(
    429,
    LIMIT,
    'retry',
    'The key has as many sessions open as it may.',
    "Close one, or raise `limits.sessionsPerKey` or the key's own limit.",
  ),
  draining: fact(
    503,
    SERVER,
    'retry',
    'The server is shutting down and takes no new sessions.',
    'Try again: another instance, or this one after its restart.',
  ),
  no_pipeline: fact(
    503,
    SERVER,
    'final',
    'There is no pipeline to answer with.',
    'Put a pipeline file into the folder of pipelines.',
  ),
  session_expired: fact(
    400,
    INVALID,
    'retry',
    'The session reached its longest life, `limits.sessionMinutes`.',
    'Open a new one.',
  ),
  session_closed: fact(503, SERVER, 'retry', 'The server ended the session.', 'Open a new one.'),
  slow_reader: fact(
    400,
    INVALID,
    'retry',
    'The client did not read what it was sent, and the queue for it was full.',
    'Read the socket while the session is open.',
  ),
  input_too_fast: fact(
    429,
    LIMIT,
    'retry',
    'The client sends more than `limits.inputBytesPerSecond`; the first time it is told, the second time the session ends.',
    'Send audio as it is spoken, or whole files one after the other.',
  ),
  too_many_responses: fact(
    429,
    LIMIT,
    'retry',
    'As many responses of the session are in progress as there may be.',
    'Wait for a `response.done`.',
  ),
  too_many_transcriptions: fact(
    429,
    LIMIT,
    'retry',
    'As many items of audio wait to be recognised as may.',
    'Wait for their transcripts.',
  ),
  rate_limit_exceeded: fact(
    429,
    LIMIT,
    'retry',
    'The key has begun as many responses as `limits.responsesPerMinute` allows.',
    'Wait as long as `rate_limits.updated` says.',
  ),
  ...CONVERSATION_ERRORS,
  // Stages
  no_target: fact(
    503,
    SERVER,
    'final',
    'No target of the route can be used: none is set up, or its models are missing.',
    "`parley check` and the start's messages say which and why.",
  ),
  vad_failed: fact(
    500,
    SERVER,
    'retry',
    'Speech detection failed, so the session cannot hear any more.',
    'Open a new session; the log names the cause.',
  ),
  // Providers: how the last attempt of a stage failed
  auth: fact(
    502,
    SERVER,
    'final',
    "The provider refused the server's credentials.",
    "Check the provider's `apiKey` in the settings.",
  ),
  quota: fact(
    502,
    SERVER,
    'final',
    'The account at the provider is used up.',
    'Add credit there, or another target to the route.',
  ),
  rate: fact(
    429,
    LIMIT,
    'retry',
    'The provider asked to slow down.',
    'Try again later, or add another target to the route.',
  ),
  bad_request: fact(
    502,
    SERVER,
    'final',
    'The provider refused the request as wrong.',
    "See the message; a target's `params` may be the reason.",
  ),
  transient: fact(502, SERVER, 'retry', 'The provider failed or went away.', 'Try again.'),
  timeout: fact(
    504,
    SERVER,
    'retry',
    'The provider gave nothing useful by its deadline.',
    'Try again, or put a faster target into the route.',
  ),
  expired: fact(502, SERVER, 'retry', 'The connection to the provider had reached its age.', 'Try again.'),
} as const satisfies Readonly<Record<string, ErrorFacts>>

export type ErrorCode = keyof typeof ERRORS
