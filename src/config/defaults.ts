/**
 * Every default of settings and pipelines, with units in the names and the reason beside each.
 * `docs/settings.md` and `docs/pipelines.md` show the same values; a test holds them equal.
 */

// -- listen

/** Loopback: without keys nobody beyond this machine may be answered. */
export const HOST = '127.0.0.1'
/** What people expect of a development server; 80 and 443 need privileges. */
export const PORT = 8080

// -- limits

/** Above what one process of two cores paces cleanly (300), so that the machine, not a number, is the usual limit. */
export const MAX_SESSIONS = 500
/** OpenAI's own session length: clients already reconnect after it. */
export const SESSION_MINUTES = 60
/**
 * Sixteen times the speed at which anyone speaks (PCM at 24 kHz in base64 is 64 kB a second), and a minute's worth at once;
 * an event costs at least 1 kB. Beyond it nobody talks, and one client's parsing is felt by all others.
 */
export const INPUT_BYTES_PER_SECOND = 1_048_576
/** A day of one busy line; at the caps below about 100 MB in the worst case, 20 MB in practice. */
export const TURNS_KEPT = 10_000

/**
 * Unexpired client secrets: a page a second for the longest life there is, at an ordinary session of 2 kB. One key can
 * fill a quarter of the memory, so that it never closes the door to the others.
 */
export const CLIENT_SECRETS = {
  entriesPerOwner: 7_200,
  bytesPerOwner: 16 * 1024 * 1024,
  bytes: 64 * 1024 * 1024,
} as const

// -- gateway (HTTP)
/** A model that thinks over a long prompt may take half a minute to its first word; a pipeline's budget is shorter. */
export const GATEWAY_FIRST_OUTPUT_MS = 60_000
/** Longer than any pause of a model that is at work, its thoughts counted. */
export const GATEWAY_IDLE_MS = 60_000
/** As long as OpenAI's and Anthropic's SDKs wait. */
export const GATEWAY_ANSWER_MS = 600_000
/** A key that a client brings is called with this server's address and in its name: the operator must want that. */
export const GATEWAY_CLIENT_KEYS = 'refused' as const
/** Of requests that ask for a hedge themselves: as routes have it by default. */
export const GATEWAY_HEDGE_SHARE = 0.1
/** Anthropic's own limit is 32, OpenAI's 50 with images; one request is held in memory several times. */
export const GATEWAY_BODY_MB = 32
/** OpenAI's own limit of a file. */
export const GATEWAY_AUDIO_MB = 25
/** An hour as it is recognised takes 115 MB; 25 MB of Opus may hold seven. */
export const GATEWAY_AUDIO_MINUTES = 60
/** Each may hold an hour of sound, and two of them fill two cores with embedded models. */
export const GATEWAY_AUDIO_AT_ONCE = 8
/** OpenAI's own limit of an `input`; some five minutes of speech. */
export const GATEWAY_SPEECH_CHARS = 4096

/**
 * Of requests to Anthropic that have no limit of their own, where one is demanded: room for a long answer and the thoughts, which
 * count too, and within what each model since Claude 4 may write. It is a ceiling and costs nothing.
 */
export const ANTHROPIC_MAX_TOKENS = 16_000

// -- recording (off unless a folder is named)
/** A replay without the caller's sound recognises nothing of what a resampler or a gate did: keep it unless told not to. */
export const RECORDED_AUDIO = 'keep'
/** Twenty minutes of both voices: a minute of 24 kHz PCM each way, as text, is some 6 MB. */
export const RECORDING_MB = 128

// -- telephone calls as stereo WAV (off unless a folder is named)
/** Two hours of both voices at 8 kHz, and some: 32 kB a second. */
export const CALL_RECORDING_MB = 256

// -- speech that is said again

/** About eleven minutes of 24 kHz PCM: hundreds of phrases. */
export const SPEECH_CACHE_MB = 32
/** Some five hours of telephone quality; what was not heard for long goes first. */
export const SPEECH_CACHE_DISK_MB = 256
/** What is said a third time is a phrase of the house; before that it is an answer to somebody. */
export const SPEECH_CACHE_SENTENCES_AFTER = 3
/** Answers may hold what concerns one caller alone. */
export const SPEECH_CACHE_SENTENCES = 'memory' as const

// -- log

export const LOG_LEVEL = 'info' as const
/** What callers say is theirs: off unless the operator asks. */
export const LOG_TRANSCRIPTS = false

// -- turn detection

/** Silero's recommended working point: half way between missing quiet speech and hearing noise. */
export const VAD_THRESHOLD = 0.5
/** Covers the first consonants that come before the detector is sure; OpenAI's value. */
export const PREFIX_PADDING_MS = 300
/** People breathe for 200–400 ms inside a sentence; shorter cuts them off, longer feels slow. */
export const SILENCE_DURATION_MS = 500
/** A semantic judge decides by itself; `auto` is OpenAI's default. */
export const EAGERNESS = 'auto' as const

// -- interruption

/** Shorter than a word of one syllable (about 250 ms), longer than a click or a cough's onset. */
export const INTERRUPTION_MIN_SPEECH_MS = 200
/** 0: do not wait for recognition, which costs 50–300 ms of talking over each other. */
export const INTERRUPTION_MIN_WORDS = 0

// -- keys of a telephone

/** What every automated menu asks for. */
export const DTMF_END_ON = '#'
/** Longer than people take between two digits of a number they read, shorter than they wait for an answer. */
export const DTMF_AFTER_MS = 2500
/** A card number with its check digits fits. */
export const DTMF_MAX_DIGITS = 32

// -- telephone bridges

/**
 * AudioSocket's TCP listener: this machine alone, since the protocol has no password; the port of its own documentation; room
 * for what one process paces cleanly; the one rate of the dialplan's application.
 */
export const AUDIOSOCKET = {
  host: '127.0.0.1',
  port: 9092,
  maxConnections: 500,
  sampleRateHz: 8000,
} as const

// -- speculation

/** Each further revision costs a model call and is seldom the one that answers. */
export const MAX_REVISIONS = 3

// -- budget

/** Beyond about 1.5 s callers say "hello?". Counted from the real end of speech, silence window included. */
export const TURN_MS = 1500
/**
 * How the budget is thought to be spent when nothing was planned: the silence window is a third of it,
 * recognition runs mostly inside that window, the model's first clause is the largest part, and a voice
 * starts within a few hundred milliseconds. `brokenBy` names the part that passed its share by most.
 */
export const TURN_SHARES = { endpoint: 0.35, stt: 0.1, llm: 0.35, tts: 0.2 }
/** Long enough to matter, short enough that the caller is still on the line. */
export const TOOL_TIMEOUT_MS = 5000

/** The operator chose the server and the pipeline, and on the phone nobody could be asked. */
export const PIPELINE_TOOL_APPROVAL = 'never' as const

// -- MCP servers that clients name

/** The client asks or does not, as on OpenAI's wire, where it is asked unless it says otherwise. */
export const MCP_APPROVAL = 'client' as const
/** A token of whoever calls goes to a third party only where the operator knows that it should. */
export const MCP_CLIENT_CREDENTIALS = 'refuse' as const

// -- stages: what runs with nothing configured, best first

export const DEFAULT_TARGETS = {
  stt: ['local/moonshine-tiny'],
  llm: ['local/smollm2', 'local/scripted'],
  tts: ['local/flite'],
} as const
/** Enough that a first bad hour stops nobody. */
export const GUARDRAIL_CONVERSATIONS = 100
/** A hedge may double at most this share of calls, so that it can never double the bill. */
export const HEDGE_MAX_SHARE = 0.1

/** What every client sends; `model` is off, since it may spend the operator's money elsewhere. */
export const CLIENT_MAY = ['instructions', 'voice', 'tools'] as const

export const INSTRUCTIONS = 'You are a friendly assistant. Answer in one or two short sentences.'
export const VOICE = 'default'

// -- files

/** Many times the largest sensible file; a parse of this size takes well under a second. */
export const MAX_FILE_BYTES = 262_144
export const MAX_PIPELINES = 200
/** Editors write a file in several steps; a reload waits for this much quiet. */
export const RELOAD_QUIET_MS = 150
