/**
 * The call: microphone, speaker and connection held together. It keeps the page's signals, and carries out what the
 * pure parts (`conversation.ts`, `state.ts`) only describe.
 */
import { computed, signal } from '@preact/signals'
import type { Captured } from '../audio/messages.ts'
import { type Microphone, openMicrophone } from '../audio/microphone.ts'
import { decodeBase64, encodeBase64, WIRE_RATE_HZ } from '../audio/pcm.ts'
import { Speaker } from '../audio/speaker.ts'
import { Connection, probe, storedKey } from './connection.ts'
import { type LocalEvent, reduce } from './conversation.ts'
import type { ServerEvent } from './events.ts'
import { Records } from './records.ts'
import { callState, type Phase } from './state.ts'
import { type Conversation, emptyConversation } from './turns.ts'
import { Voices } from './voices.ts'

/** Waits before each try to come back, so that a restarting server is met again and a dead one left alone. */
const RECONNECT_MS = [500, 1000, 2000, 4000, 8000]
/** Speech kept while a connection is being made: the first words are said before the line stands. */
const EARLY_CHUNKS = 150

const SESSION = {
  type: 'realtime',
  output_modalities: ['audio'],
  audio: {
    input: { format: { type: 'audio/pcm', rate: WIRE_RATE_HZ }, transcription: { model: 'default' } },
    output: { format: { type: 'audio/pcm', rate: WIRE_RATE_HZ } },
  },
  // Words are shown while they are being said.
  providerData: { parley: { transcriptDeltas: 'early' } },
}

export class Call {
  readonly conversation = signal<Conversation>(emptyConversation)
  readonly phase = signal<Phase>('idle')
  readonly microphone = signal<'on' | 'muted' | 'off'>('off')
  readonly notice = signal('')
  readonly keyNeeded = signal(false)
  readonly voices = new Voices()
  readonly #hearing = signal(false)
  readonly #interrupted = signal(false)
  readonly #awaiting = signal(false)
  readonly #playing = signal(false)
  readonly state = computed(() =>
    callState({
      phase: this.phase.value,
      hearing: this.#hearing.value,
      interrupted: this.#interrupted.value,
      awaiting: this.#awaiting.value,
      playing: this.#playing.value,
    }),
  )

  #connection: Connection | null = null
  #context: AudioContext | null = null
  #speaker: Speaker | null = null
  #mic: Microphone | null = null
  #early: string[] = []
  #unsaid: string[] = []
  #tries = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  /** Rises with each start and hang-up; what an older one still awaits finds itself stale. */
  #generation = 0
  #activeResponse: string | null = null
  readonly #records = new Records((record) => this.#dispatch({ type: 'record', record }))

  /** Must be called from a click or key where the browser asks one before sound. */
  async start(input: 'microphone' | 'keyboard'): Promise<void> {
    if (this.phase.value !== 'idle' && this.phase.value !== 'error') return
    // Browsers keep microphones and audio threads from pages that anyone on the way could have changed.
    if (!isSecureContext) return this.#fail('Calls need https, or a loopback address such as localhost.')
    const generation = ++this.#generation
    this.notice.value = ''
    this.phase.value = 'connecting'
    this.#tries = 0
    const context = new AudioContext({ latencyHint: 'interactive' })
    this.#context = context
    this.#wake(context)
    this.#dial()
    try {
      const speaker = await Speaker.open(context, {
        onProgress: (item, level) => {
          this.voices.hearThem(item ? level : 0)
          if (item) this.#dispatch({ type: 'played', ...item })
          this.#playing.value = item !== null || speaker.busy
        },
        onFinished: (item) => this.#finished(item.itemId, item.playedMs, speaker.busy),
        onFull: () => this.#say('The answer is longer than this page can hold; its end is cut.'),
      })
      if (generation === this.#generation) this.#speaker = speaker
      if (generation === this.#generation && input === 'microphone') await this.#openMicrophone(context)
    } catch (error) {
      if (generation === this.#generation) this.#fail(`This browser cannot play the call: ${String(error)}`)
    }
  }

  hangUp(): void {
    this.#stop()
    this.phase.value = 'idle'
  }

  toggleMute(): void {
    if (this.microphone.value === 'off') return
    const muted = this.microphone.value === 'on'
    this.#mic?.mute(muted)
    this.microphone.value = muted ? 'muted' : 'on'
  }

  /** Says it in writing; begins a call without a microphone when there is none. */
  async type(text: string): Promise<void> {
    this.#unsaid.push(text)
    if (this.phase.value === 'live') return await this.#sendTyped()
    await this.start('keyboard')
  }

  async useKey(key: string): Promise<void> {
    storedKey.set(key)
    this.keyNeeded.value = false
    await this.start('microphone')
  }

  /** Asks, before anyone presses a button, whether a key will be needed. */
  async look(): Promise<void> {
    if ((await probe()) === 'key-needed' && this.phase.value === 'idle') this.keyNeeded.value = true
  }

  // ── the line ────────────────────────────────────────────────────────────────────────────────────────────

  #dial(): void {
    try {
      this.#connection = new Connection({
        onEvent: (event) => this.#receive(event),
        onClose: (code, reason) => void this.#lost(code, reason),
      })
    } catch {
      // A subprotocol takes only the letters of a token; so does every key we make.
      this.#fail('The key holds a character that a browser cannot send.')
      this.keyNeeded.value = true
    }
  }

  async #lost(code: number, reason: string): Promise<void> {
    const wasLive = this.phase.value === 'live' || this.phase.value === 'reconnecting'
    const generation = this.#generation
    this.#quiet()
    if (code === 1000) {
      this.#stop()
      this.phase.value = 'idle'
      return this.#say('The server hung up.')
    }
    if (code === 3000) return this.#askForKey('The server did not take the key.')
    if (code === 4000) return this.#fail(`The server refused the call: ${reason}`)
    const wait = RECONNECT_MS[this.#tries]
    if (wasLive && wait !== undefined) {
      this.#tries++
      this.phase.value = 'reconnecting'
      this.#retry = setTimeout(() => this.#dial(), wait)
      return
    }
    const found = await probe()
    if (generation !== this.#generation) return
    if (found === 'key-needed')
      this.#askForKey(
        storedKey.get() === '' ? 'This server asks for a key.' : 'The server did not take the key.',
      )
    else if (found === 'refused') this.#fail('The server does not allow calls from this page’s address.')
    else if (found === 'open') this.#fail('The server is there, but did not take the call. It may be full.')
    else this.#fail('The server cannot be reached.')
  }

  #receive(event: ServerEvent): void {
    this.#dispatch(event)
    switch (event.type) {
      case 'session.created':
        return this.#live()
      case 'error':
        return this.#say(event.error.message)
      case 'input_audio_buffer.speech_started':
        this.#hearing.value = true
        this.#interrupted.value = this.#speaker?.busy === true
        return void this.#cutAnswer()
      case 'input_audio_buffer.speech_stopped':
        this.#hearing.value = false
        this.#awaiting.value = true
        return
      case 'conversation.item.input_audio_transcription.completed':
        if (event.transcript.trim() === '' && this.#activeResponse === null) this.#awaiting.value = false
        return
      case 'response.created':
        this.#activeResponse = event.response.id
        this.#awaiting.value = true
        return
      case 'response.output_audio.delta': {
        const samples = decodeBase64(event.delta)
        const ms = (samples.length * 1000) / WIRE_RATE_HZ
        this.#dispatch({ type: 'received', responseId: event.response_id, itemId: event.item_id, ms })
        return this.#speaker?.push(event.item_id, samples)
      }
      case 'response.output_audio.done':
        return this.#speaker?.end(event.item_id)
      case 'response.done':
        if (this.#activeResponse === event.response.id) this.#activeResponse = null
        if (event.response.status !== 'cancelled') this.#awaiting.value = false
        if (event.response.status === 'failed')
          this.#say(event.response.status_details?.error?.message ?? 'The answer failed.')
        return this.#records.want(event.response.parley?.turnId)
      case 'conversation.item.truncated':
        return this.#records.want(this.#turnOf(event.item_id))
    }
  }

  #live(): void {
    this.#tries = 0
    this.keyNeeded.value = false
    this.phase.value = 'live'
    this.#dispatch({ type: 'connected' })
    this.#connection?.send({ type: 'session.update', session: SESSION })
    for (const chunk of this.#early.splice(0)) this.#connection?.sendAudio(chunk)
    void this.#sendTyped()
  }

  /** Stops the sound at once, and tells the server how much of it was heard. */
  async #cutAnswer(): Promise<void> {
    if (!this.#speaker?.busy) return
    this.#playing.value = false
    this.voices.hearThem(0)
    const connection = this.#connection
    for (const { itemId, playedMs } of await this.#speaker.clear()) {
      this.#dispatch({ type: 'cut', itemId, playedMs })
      connection?.send({
        type: 'conversation.item.truncate',
        item_id: itemId,
        content_index: 0,
        audio_end_ms: playedMs,
      })
    }
  }

  /**
   * Writing interrupts as speech does, only that the server cannot know it by itself: it is told what was heard before
   * it is asked again, or it would answer as if all had been.
   */
  async #sendTyped(): Promise<void> {
    const texts = this.#unsaid.splice(0)
    const connection = this.#connection
    if (texts.length === 0 || !connection) return
    const items = texts.map((text) => ({
      id: `item_${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`,
      text,
    }))
    for (const { id, text } of items) this.#dispatch({ type: 'typed', itemId: id, text })
    if (this.#activeResponse) connection.send({ type: 'response.cancel' })
    await this.#cutAnswer()
    for (const { id, text } of items)
      connection.send({
        type: 'conversation.item.create',
        item: { id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
      })
    connection.send({ type: 'response.create' })
    this.#awaiting.value = true
  }

  // ── sound ───────────────────────────────────────────────────────────────────────────────────────────────

  async #openMicrophone(context: AudioContext): Promise<void> {
    const generation = this.#generation
    try {
      const lost = () => {
        this.microphone.value = 'off'
        this.#say('The microphone is gone. You can type instead.')
      }
      const mic = await openMicrophone(context, (chunk) => this.#captured(chunk), lost)
      if (generation !== this.#generation) return mic.close()
      this.#mic = mic
      this.microphone.value = 'on'
    } catch (error) {
      if (generation !== this.#generation) return
      const denied = error instanceof DOMException && error.name === 'NotAllowedError'
      const why = denied ? 'The browser was not allowed to use it' : String((error as Error).message)
      this.#say(`No microphone: ${why}. You can type instead.`)
    }
  }

  #captured(chunk: Captured): void {
    this.voices.hearYou(this.microphone.value === 'muted' ? 0 : chunk.level)
    const audio = encodeBase64(chunk.samples)
    if (this.phase.value === 'live') this.#connection?.sendAudio(audio)
    else if (this.phase.value === 'connecting') this.#early = [...this.#early.slice(1 - EARLY_CHUNKS), audio]
  }

  /** A browser that wants a click before it plays gets the next one, wherever it falls. */
  #wake(context: AudioContext): void {
    if (context.state === 'running') return
    void context.resume()
    const wake = () => void context.resume()
    for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, wake, { once: true })
  }

  #finished(itemId: string, playedMs: number, more: boolean): void {
    this.#dispatch({ type: 'played', itemId, playedMs })
    this.#playing.value = more
    if (!more) this.voices.hearThem(0)
    this.#records.want(this.#turnOf(itemId))
  }

  // ── ends ────────────────────────────────────────────────────────────────────────────────────────────────

  #turnOf(itemId: string): string | undefined {
    const turn = this.conversation.value.turns.find((t) => t.answers.some((a) => a.itemId === itemId))
    return turn?.report?.turnId
  }

  #dispatch(event: ServerEvent | LocalEvent): void {
    this.conversation.value = reduce(this.conversation.value, event)
  }

  #say(text: string): void {
    this.notice.value = text
  }

  #fail(text: string): void {
    this.#stop()
    this.phase.value = 'error'
    this.#say(text)
  }

  #askForKey(text: string): void {
    this.#fail(text)
    this.keyNeeded.value = true
  }

  /** What a lost line leaves behind is silence, and no state of the old call. */
  #quiet(): void {
    this.#connection = null
    this.#activeResponse = null
    this.#hearing.value = this.#interrupted.value = this.#awaiting.value = this.#playing.value = false
    this.voices.hearThem(0)
    void this.#speaker?.clear().then((cuts) => {
      for (const cut of cuts) this.#dispatch({ type: 'cut', ...cut })
    })
  }

  #stop(): void {
    this.#generation++
    clearTimeout(this.#retry)
    this.#connection?.close()
    this.#quiet()
    this.#mic?.close()
    this.#mic = null
    this.#early = []
    this.microphone.value = 'off'
    this.voices.hearYou(0)
    // Closed once the speaker has told what it played; nothing sounds after `clear`.
    const context = this.#context
    const speaker = this.#speaker
    this.#context = this.#speaker = null
    void Promise.resolve(speaker?.clear()).then(() => context?.close())
  }
}
