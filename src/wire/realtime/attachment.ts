/**
 * The session a socket is attached to, and what was agreed about it: updates on their way, what stands and is
 * echoed, and the move to another pipeline while nothing was said yet.
 */
import { type Session, type SessionHost, type SessionOrigin, SessionRefused } from '../../session/session.ts'
import type { SessionSettings } from '../../session/settings.ts'
import { randomId } from './ids.ts'
import { type RefusedEvent, refusal } from './parse.ts'
import { pipelineOf } from './pipeline-name.ts'
import type { ParleyRequest } from './provider-data.ts'
import { mergeEcho } from './session-object.ts'
import { resolvePatch, type SessionUpdate, type WireEcho } from './session-update.ts'
import { beginWith, patchFor, type Start, shownToHolder } from './start.ts'

export interface AttachmentDeps {
  readonly host: SessionHost
  /** Whether a pipeline of that name is loaded. */
  readonly hasPipeline: (name: string) => boolean
}

export interface AttachmentStart {
  readonly session: Session
  readonly origin: SessionOrigin
  readonly start: Start
}

interface PendingUpdate {
  /** Ours, since the client need not name its events. */
  readonly token: string
  readonly update: SessionUpdate
  readonly ref: string | null
  /** Whether the client awaits `session.updated`. */
  readonly answer: 'updated' | 'none'
}

/** Updates told again when the session moves; a client that sends more stays where it is. */
const MAX_REPLAYED_UPDATES = 32

export class Attachment {
  readonly #deps: AttachmentDeps
  readonly #tokenStem = randomId('event')
  #tokens = 0
  #session: Session
  #origin: SessionOrigin
  #start: Start
  /** What the session began with: the pipeline's settings. */
  #beginning: SessionSettings
  #echo: WireEcho
  #pending: PendingUpdate[] = []
  #applied: SessionUpdate[] = []
  #begun = false
  #voiced = false

  constructor({ session, origin, start }: AttachmentStart, deps: AttachmentDeps) {
    this.#deps = deps
    this.#session = session
    this.#origin = origin
    this.#start = start
    this.#echo = start.update ? shownToHolder(start.update.echo) : {}
    this.#beginning = session.settings
  }

  get session(): Session {
    return this.#session
  }

  get echo(): WireEcho {
    return this.#echo
  }

  /** Something was said on either side: from now on the session stays. */
  begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#applied = []
  }

  /** The caller heard the assistant: from now on its voice stays. */
  voiced(): void {
    this.#voiced = true
  }

  /** Sends an update to the session. Its answer is a later `settingsApplied` or `refused`; or a refusal now. */
  update(update: SessionUpdate, ref: string | null): RefusedEvent | undefined {
    const voice = update.patch.voice
    if (this.#voiced && voice !== undefined && voice !== this.#voice) {
      const text = "Cannot update a conversation's voice if assistant audio is present."
      return refusal('cannot_update_voice', text, 'session.audio.output.voice', ref)
    }
    const pinned = this.#pinned(update.echo.parley)
    if (pinned) return { ...pinned, ref }
    const kind = update.kind ?? this.#start.kind
    const start = kind === this.#start.kind ? this.#start : { ...this.#start, kind }
    const origin = this.#movedTo(update, start)
    const refused = origin === this.#origin ? undefined : this.#move(origin, start)
    if (refused) return { ...refused, ref }
    this.#submit(update, ref, 'updated')
    return undefined
  }

  /** The oldest update took effect. True: the client awaits `session.updated`. */
  applied(): boolean {
    const done = this.#pending.shift()
    if (!done) return true
    this.#echo = mergeEcho(this.#echo, done.update.echo)
    if (!this.#begun) this.#applied.push(done.update)
    return done.answer === 'updated'
  }

  /** The client's event id for the `ref` of a refusal; an update that was refused is forgotten. */
  refused(ref: string | null): string | null {
    const at = this.#pending.findIndex((pending) => pending.token === ref)
    const [update] = at < 0 ? [] : this.#pending.splice(at, 1)
    return update ? update.ref : ref
  }

  /** As the client sent it, else the pipeline's. */
  get #voice(): unknown {
    const sent = this.#echo.voice as { readonly id?: unknown } | string | undefined
    return typeof sent === 'object' ? sent.id : (sent ?? this.#session.settings.voice)
  }

  #submit(update: SessionUpdate, ref: string | null, answer: PendingUpdate['answer']): void {
    const token = `${this.#tokenStem}:${this.#tokens++}`
    this.#pending.push({ token, update, ref, answer })
    const patch = patchFor(this.#beginning, resolvePatch(update, this.#beginning))
    this.#session.send({ type: 'settings', patch, ref: token })
  }

  /** For what a client secret holds fast; undefined when all is well. Sending what stands is allowed. */
  #pinned(said: ParleyRequest | undefined): RefusedEvent | undefined {
    const { pins } = this.#start
    if (!pins || !said) return undefined
    const { pipeline, user } = this.#origin
    const refuse = (member: string) =>
      refusal(
        'override_not_allowed',
        `The client secret does not let its holder change ${member}.`,
        `session.providerData.parley.${member}`,
      )
    if (said.pipeline !== undefined && said.pipeline !== pipeline) return refuse('pipeline')
    if (said.user !== undefined && pins.user !== null && said.user !== user) return refuse('user')
    return undefined
  }

  /** Where the session belongs by the client's word; the same object if that is where it is. */
  #movedTo({ echo }: SessionUpdate, start: Start): SessionOrigin {
    const origin = this.#origin
    const said = echo.parley ?? {}
    const pipeline = said.pipeline ?? this.#recogniserOf(echo, start) ?? origin.pipeline
    const user = said.user ?? origin.user
    const metadata = said.metadata ? { ...origin.metadata, ...said.metadata } : origin.metadata
    const same =
      start === this.#start &&
      pipeline === origin.pipeline &&
      user === origin.user &&
      JSON.stringify(metadata) === JSON.stringify(origin.metadata)
    return same ? origin : { ...origin, pipeline, user, metadata, begin: beginWith(start) }
  }

  /** A transcription session names no model but its recogniser's: there a pipeline's name means that pipeline. */
  #recogniserOf({ transcription }: WireEcho, { kind, pins }: Start): string | null {
    const model = transcription?.['model']
    if (kind !== 'transcription' || pins || typeof model !== 'string') return null
    return pipelineOf(model, this.#deps.hasPipeline)
  }

  /** Pipeline, metadata and user are facts a session begins with, so it is exchanged for one that begins with the new. */
  #move(origin: SessionOrigin, start: Start): RefusedEvent | undefined {
    const retyped = start.kind !== this.#start.kind
    const param = retyped ? 'session.type' : 'session.providerData.parley'
    const { pipeline } = origin
    if (pipeline !== null && pipeline !== this.#origin.pipeline && !this.#deps.hasPipeline(pipeline))
      return refusal('invalid_value', `Unknown pipeline: '${pipeline}'.`, `${param}.pipeline`)
    if (this.#begun || this.#applied.length + this.#pending.length >= MAX_REPLAYED_UPDATES) {
      const facts = retyped ? 'The type of a session' : 'Pipeline, metadata and user'
      const text = `${facts} can be set until the first audio, item or response only.`
      return refusal('invalid_value', text, param)
    }
    let next: Session
    try {
      next = this.#deps.host.open(origin)
    } catch (error) {
      if (error instanceof SessionRefused) return refusal(error.code, error.message, param)
      throw error
    }
    const before = this.#session
    const [applied, pending] = [this.#applied, this.#pending]
    this.#session = next
    this.#origin = origin
    this.#start = start
    this.#beginning = next.settings
    this.#pending = []
    this.#applied = []
    for (const update of applied) this.#submit(update, null, 'none')
    for (const { update, ref, answer } of pending) this.#submit(update, ref, answer)
    before.close('client').catch(() => {})
    return undefined
  }
}
