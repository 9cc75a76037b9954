/** Every kind of target there is, as a double of its provider that is told what to say in nobody's words. */
import { ANTHROPIC_KEY, startFakeAnthropic } from '../../src/testing/model/anthropic.ts'
import { BEDROCK_KEYS, startBedrockDouble } from '../../src/testing/model/bedrock/double.ts'
import { GEMINI_KEY, startGeminiDouble } from '../../src/testing/model/gemini/double.ts'
import { FAKE_KEY, startFakeOpenAi } from '../../src/testing/model/openai.ts'
import { DOUBLE_KEY, startResponsesDouble } from '../../src/testing/model/openai-responses/double.ts'

interface Call {
  readonly id: string
  readonly name: string
  readonly args: object
}

/** What a target says, in nobody's words. */
export interface Says {
  readonly pieces?: readonly string[]
  readonly calls?: readonly Call[]
  readonly ends?: 'length'
  readonly fails?: 'refuse_503' | 'drop_mid_stream'
}

export interface Kind {
  /** A line below `providers:` of the settings, without its name. */
  readonly settings: string
  readonly model: string
  say(next: Says): void
  /** Of the last request, as the provider got it. */
  readonly lastBody: () => unknown
  close(): Promise<void>
}

export const KINDS: Record<string, () => Promise<Kind>> = {
  chat: () => chatKind((baseUrl) => `{ type: openai, baseUrl: '${baseUrl}', apiKey: ${FAKE_KEY} }`),
  packaged: () =>
    chatKind(
      (baseUrl) =>
        `{ type: ai-sdk, package: '@ai-sdk/openai-compatible', baseUrl: '${baseUrl}', apiKey: ${FAKE_KEY}, options: { includeUsage: true, supportsStructuredOutputs: true } }`,
    ),
  async responses() {
    const double = await startResponsesDouble()
    return {
      ...double,
      settings: `{ type: openai, api: responses, baseUrl: '${double.baseUrl}', apiKey: ${DOUBLE_KEY} }`,
      model: 'gpt-5',
      lastBody: () => double.requests.at(-1)?.body,
      say: ({ pieces, calls = [], ends, fails }) =>
        double.answer({
          items: [
            ...(pieces ? [{ type: 'message' as const, pieces }] : []),
            ...calls.map(({ id, name, args }) => ({
              type: 'function_call' as const,
              callId: id,
              name,
              arguments: JSON.stringify(args),
            })),
          ],
          ...(ends && { incomplete: 'max_output_tokens' as const }),
          ...(fails && { fault: fails }),
        }),
    }
  },
  async anthropic() {
    const double = await startFakeAnthropic()
    return {
      ...double,
      settings: `{ type: anthropic, baseUrl: '${double.baseUrl}', apiKey: ${ANTHROPIC_KEY} }`,
      model: 'claude-sonnet-4-5',
      lastBody: () => double.requests.at(-1)?.body,
      say: ({ pieces = [], calls = [], ends, fails }) =>
        double.answer({
          pieces,
          calls: calls.map(({ id, name, args }) => ({ id, name, input: args })),
          ...(ends && { stop: 'max_tokens' }),
          ...(fails && { fault: fails }),
        }),
    }
  },
  async gemini() {
    const double = await startGeminiDouble()
    return {
      ...double,
      settings: `{ type: gemini, baseUrl: '${double.baseUrl}', apiKey: ${GEMINI_KEY} }`,
      model: 'gemini-2.5-flash',
      lastBody: () => double.requests.at(-1)?.body,
      say: ({ pieces = [], calls = [], ends, fails }) =>
        double.answer({
          pieces,
          calls: calls.map(({ name, args }) => ({ name, args })),
          ...(ends && { finish: 'MAX_TOKENS' }),
          ...(fails && { fault: fails }),
        }),
    }
  },
  async bedrock() {
    const double = await startBedrockDouble()
    const { accessKeyId, secretAccessKey, sessionToken, region } = BEDROCK_KEYS
    return {
      ...double,
      settings: `{ type: bedrock, baseUrl: '${double.url}', region: ${region}, accessKeyId: ${accessKeyId}, secretAccessKey: '${secretAccessKey}', sessionToken: ${sessionToken} }`,
      model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
      lastBody: () => double.requests.at(-1)?.body,
      say: ({ pieces = [], calls = [], ends, fails }) =>
        double.answer({
          pieces,
          calls,
          ...(ends && { stop: 'max_tokens' }),
          ...(fails && { fault: fails }),
        }),
    }
  },
}

async function chatKind(settings: (baseUrl: string) => string): Promise<Kind> {
  const fake = await startFakeOpenAi()
  return {
    settings: settings(fake.baseUrl),
    model: 'gpt-test',
    close: () => fake.close(),
    lastBody: () => fake.requests.at(-1)?.body,
    say: ({ pieces = [], calls = [], ends, fails }) =>
      fake.answer({
        pieces,
        calls: calls.map(({ id, name, args }) => ({ id, name, arguments: JSON.stringify(args) })),
        ...(ends && { finish: ends }),
        ...(fails && { fault: fails }),
      }),
  }
}
