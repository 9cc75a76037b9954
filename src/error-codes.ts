/** The table of every error code Parley answers with, and the body it answers in. */

/** The classes of errors, as OpenAI's clients know them. */
export type ErrorType = 'invalid_request_error' | 'rate_limit_error' | 'server_error'

export interface ErrorFacts {
  /** Of the HTTP answer; on a Realtime socket the error is an event and this is what HTTP would have said. */
  readonly status: number
  readonly type: ErrorType
  /** The same request may succeed later without being changed. */
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
}

const INVALID = 'invalid_request_error'
const SERVER = 'server_error'
const LIMIT = 'rate_limit_error'

function fact(
  status: number,
  type: ErrorType,
  again: 'retry' | 'final',
  meaning: string,
  remedy: string,
): ErrorFacts {
  return { status, type, retryable: again === 'retry', meaning, remedy }
}

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
  // Events and bodies
  invalid_json: fact(
    400,
    INVALID,
    'final',
    'The message or body is not JSON.',
    'Send one JSON object a message, as text.',
  ),
  invalid_event: fact(
    400,
    INVALID,
    'final',
    'The message is no event: binary, no object, or without a `type`.',
    'Send JSON objects with a `type`.',
  ),
  invalid_type: fact(
    400,
    INVALID,
    'final',
    'A member has another JSON type than it should.',
    'See `param` for which one.',
  ),
  invalid_value: fact(
    400,
    INVALID,
    'final',
    'A member has a value that is not one of those allowed, or makes no sense here.',
    'See `param` and the message.',
  ),
  missing_required_parameter: fact(
    400,
    INVALID,
    'final',
    'A member that is needed is missing.',
    'See `param` for which one.',
  ),
  integer_below_min_value: fact(
    400,
    INVALID,
    'final',
    'A number is too small.',
    'See `param` and the message.',
  ),
  integer_above_max_value: fact(
    400,
    INVALID,
    'final',
    'A number is too large.',
    'See `param` and the message.',
  ),
  decimal_below_min_value: fact(
    400,
    INVALID,
    'final',
    'A number is too small.',
    'See `param` and the message.',
  ),
  decimal_above_max_value: fact(
    400,
    INVALID,
    'final',
    'A number is too large.',
    'See `param` and the message.',
  ),
  string_above_max_length: fact(400, INVALID, 'final', 'A text is too long.', 'Shorten it.'),
  array_above_max_length: fact(400, INVALID, 'final', 'A list has too many entries.', 'Shorten it.'),
  object_above_max_properties: fact(400, INVALID, 'final', 'An object has too many members.', 'Shorten it.'),
  // The conversation
  input_audio_buffer_commit_empty: fact(
    400,
    INVALID,
    'final',
    'The buffer that was committed holds less than 100 ms of audio.',
    'Append audio before the commit; with server turn detection do not commit at all.',
  ),
  conversation_already_has_active_response: fact(
    400,
    INVALID,
    'retry',
    'A response of the conversation is still in progress.',
    'Wait for its `response.done`, or cancel it first.',
  ),
  response_cancel_not_active: fact(
    400,
    INVALID,
    'final',
    'There was no response in progress to cancel.',
    'Nothing: it had ended already.',
  ),
  unsupported_content_type: fact(
    400,
    INVALID,
    'final',
    'The item or its content is not of the kind this event is for.',
    "Only the assistant's audio can be truncated; see the message.",
  ),
  item_create_invalid_previous_item_id: fact(
    400,
    INVALID,
    'final',
    '`previous_item_id` is no item of the conversation.',
    'Use the id of an item that is there, `root`, or leave it out.',
  ),
  item_retrieve_invalid_item_id: fact(
    400,
    INVALID,
    'final',
    'The item to retrieve is not in the conversation.',
    'Use an id that `conversation.item.added` told.',
  ),
  item_truncate_invalid_item_id: fact(
    400,
    INVALID,
    'final',
    'The item to truncate is not in the conversation.',
    'Use an id that `conversation.item.added` told.',
  ),
  item_delete_invalid_item_id: fact(
    400,
    INVALID,
    'final',
    'The item to delete is not in the conversation.',
    'Use an id that `conversation.item.added` told.',
  ),
  invalid_tool_call_id: fact(
    400,
    INVALID,
    'final',
    'No call of this `call_id` waits for a result.',
    'Use the `call_id` of the function call, once.',
  ),
  conversation_full: fact(
    400,
    INVALID,
    'final',
    'The items of the conversation are as large as they may be together.',
    'Delete some with `conversation.item.delete`, or send smaller pictures.',
  ),
  cannot_update_voice: fact(
    400,
    INVALID,
    'final',
    'The voice is fixed once the assistant has spoken.',
    'Choose the voice before the first answer.',
  ),
  override_not_allowed: fact(
    403,
    INVALID,
    'final',
    'The pipeline does not let clients change this.',
    "Add it to the pipeline's `clientMay`.",
  ),
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
