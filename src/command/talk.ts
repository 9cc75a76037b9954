/** `parley talk`: says a recording to a server, shows what it heard and answered, and where the time went. */
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { createConverter, loadAudio } from '../audio/convert.ts'
import { bytesToMs, PCM16_24K } from '../audio/format.ts'
import { readWav, WavError, writeWav } from '../audio/wav.ts'
import type { TurnRecord } from '../trace/record.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { formatSeconds } from './format.ts'
import { parseAddress, type ServerAddress } from './talk/address.ts'
import { connectRealtime } from './talk/connection.ts'
import { type Answer, converse } from './talk/conversation.ts'
import { Transcript } from './talk/transcript.ts'
import { fetchTurn } from './talk/turn-record.ts'
import { verdict, waterfall } from './talk/waterfall.ts'
import { EXIT, systemCode, UserError } from './user-error.ts'

export interface TalkOptions {
  readonly url: string
  readonly pipeline?: string
  readonly out: string
  readonly key?: string
}

/** An answer may need a model to load; beyond this nothing is going to come. */
const PATIENCE_MS = 30_000
/** A minute of speech is a long turn; an hour is the wrong file. */
const MAX_SPEECH_MS = 10 * 60_000

export function describeTalk(command: Command): Command {
  return command
    .description('say a recording to a server and hear what it answers')
    .argument('<file.wav>', 'what to say: any WAV; it is spoken in real time')
    .option('--url <address>', 'the server', 'ws://127.0.0.1:8080')
    .option('--pipeline <name>', "which pipeline answers (default: the server's default)")
    .option('--out <file.wav>', 'where the answer is saved', 'answer.wav')
    .option('--key <secret>', 'the API key, where the server wants one (or the variable PARLEY_KEY)')
    .addHelpText(
      'after',
      `
Prints the words as they are heard, the answer as it comes, and then the turn:
each stage on a line of time that begins where the caller stopped speaking.

  $ parley talk question.wav
  $ parley talk question.wav --pipeline support --out reply.wav
  $ parley talk question.wav --url wss://voice.example.com`,
    )
}

export async function talk(file: string, options: TalkOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, clock, env } = context
  const { paint } = terminal
  const address = parseAddress(options.url, options.pipeline)
  const key = options.key ?? env['PARLEY_KEY']
  const speech = await readSpeech(file)
  const connection = await connectRealtime(address, key)
  try {
    const length = formatSeconds(bytesToMs(PCM16_24K, speech.length))
    terminal.line(paint.dim(`\n  ${basename(file)}, ${length}, to ${address.shown}\n`))
    const transcript = new Transcript(terminal)
    const answers = await converse(connection, speech, { clock, transcript, patienceMs: PATIENCE_MS })
    const turns = await showTurns(answers, address, key, context)
    await saveAnswer(answers, options.out, context)
    if (turns === 0) terminal.line(paint.dim('  The server has no record of the turn to show.'))
    return answers.some((answer) => answer.status === 'completed') ? EXIT.ok : EXIT.failed
  } finally {
    connection.close()
  }
}

/** PCM16 at 24 kHz, the Realtime API's own. Throws `UserError`. */
async function readSpeech(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const why = systemCode(error) === 'ENOENT' ? 'There is no file' : 'The file cannot be read:'
    throw new UserError(`${why} ${file}`)
  })
  const { samples, sampleRateHz } = decode(file, bytes)
  const speechMs = (samples.length / sampleRateHz) * 1000
  if (samples.length === 0) throw new UserError(`${file} holds no sound.`)
  if (speechMs > MAX_SPEECH_MS) {
    throw new UserError(
      `${file} is ${formatSeconds(speechMs)} long; at most ${formatSeconds(MAX_SPEECH_MS)} are spoken.`,
    )
  }
  await loadAudio()
  const converter = createConverter({ encoding: 'pcm16', sampleRateHz }, PCM16_24K)
  try {
    const raw = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
    return Buffer.concat([converter.process(raw), converter.flush()])
  } finally {
    converter.close()
  }
}

function decode(file: string, bytes: Uint8Array) {
  try {
    return readWav(bytes)
  } catch (error) {
    if (error instanceof WavError) throw new UserError(`${file} cannot be used: ${error.message}`)
    throw error
  }
}

/** How many turns there was a record of. */
async function showTurns(
  answers: readonly Answer[],
  address: ServerAddress,
  key: string | undefined,
  { terminal }: CommandContext,
): Promise<number> {
  const ids = new Set(answers.map((answer) => answer.turnId).filter((id) => id !== null))
  let shown = 0
  for (const id of ids) {
    const record = await fetchTurn(address, id, key)
    if (!record) continue
    shown++
    showTurn(record, terminal)
  }
  return shown
}

function showTurn(record: TurnRecord, terminal: CommandContext['terminal']): void {
  const { paint, columns } = terminal
  terminal.line(`\n  ${paint.bold('The turn')} ${paint.dim(`${record.id} · pipeline ${record.pipeline}`)}\n`)
  for (const line of waterfall(record, { columns, paint })) terminal.line(line)
  terminal.line(`\n  ${verdict(record, paint)}`)
}

async function saveAnswer(
  answers: readonly Answer[],
  out: string,
  { terminal }: CommandContext,
): Promise<void> {
  const audio = Buffer.concat(answers.flatMap((answer) => answer.audio))
  if (audio.length === 0)
    return terminal.line(terminal.paint.dim('  The answer had no audio; nothing saved.'))
  const samples = new Int16Array(audio.length >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = audio.readInt16LE(2 * i)
  try {
    await writeFile(out, writeWav(samples, PCM16_24K.sampleRateHz))
  } catch (error) {
    throw new UserError(`The answer cannot be saved as ${out} (${systemCode(error) ?? 'unknown reason'}).`)
  }
  terminal.line(terminal.paint.dim(`  Saved ${out}, ${formatSeconds(bytesToMs(PCM16_24K, audio.length))}.\n`))
}
