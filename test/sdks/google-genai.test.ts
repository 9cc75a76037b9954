/** Google's own SDK against our double of its models, whole and streamed, over the same addresses that the adapter uses. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  GEMINI_KEY,
  GEMINI_TOKEN,
  type GeminiDouble,
  startGeminiDouble,
} from '../../src/testing/model/gemini/double.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Answer {
  readonly text: string | undefined
  readonly functionCalls?: readonly { readonly id?: string; readonly name?: string; readonly args?: object }[]
  readonly usageMetadata?: { readonly thoughtsTokenCount?: number }
  readonly promptFeedback?: { readonly blockReason?: string }
  readonly candidates?: readonly {
    readonly finishReason?: string
    readonly content?: { readonly role?: string; readonly parts?: readonly object[] }
  }[]
}

interface Models {
  generateContent(request: object): Promise<Answer>
  generateContentStream(request: object): Promise<AsyncIterable<Answer>>
}

interface Sdk {
  readonly GoogleGenAI: new (options: object) => { readonly models: Models }
}

const tools = [{ functionDeclarations: [{ name: 'get_time', parametersJsonSchema: { type: 'object' } }] }]

describeSdk('@google/genai', () => {
  let double: GeminiDouble
  let models: Models
  beforeEach(async () => {
    double = await startGeminiDouble()
    models = await modelsWith(GEMINI_KEY)
  })
  afterEach(() => double.close())

  async function modelsWith(apiKey: string): Promise<Models> {
    const { GoogleGenAI } = await loadSdk<Sdk>('@google/genai')
    // Its own tries would hide what was refused.
    const httpOptions = { baseUrl: double.url, retryOptions: { attempts: 1 } }
    return new GoogleGenAI({ apiKey, httpOptions }).models
  }

  test('a whole answer', async () => {
    double.answer({ pieces: ['Hello'], thoughts: ['Hm.'] })
    const answer = await models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'Hi',
      config: { systemInstruction: 'Be brief.', maxOutputTokens: 9, thinkingConfig: { thinkingBudget: 128 } },
    })
    expect(answer.text).toBe('Hello')
    expect(answer.usageMetadata?.thoughtsTokenCount).toBe(3)
  })

  test('a streamed answer, whatever the line ends', async () => {
    for (const framing of ['lf', 'crlf', 'byteByByte'] as const) {
      double.answer({ pieces: ['Grüß', ' Gott 👋🏽'], framing })
      let text = ''
      const stream = await models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'Hi' })
      for await (const chunk of stream) text += chunk.text ?? ''
      expect(text).toBe('Grüß Gott 👋🏽')
    }
  })

  test('a call, and its result with the signature in the next request', async () => {
    double.answer({ calls: [{ id: 'c1', name: 'get_time', args: { zone: 'Rome' } }], signature: 'c2ln' })
    const user = { role: 'user', parts: [{ text: 'Time?' }] }
    const model = 'gemini-3-pro'
    const answer = await models.generateContent({ model, contents: [user], config: { tools } })
    expect(answer.functionCalls).toEqual([{ id: 'c1', name: 'get_time', args: { zone: 'Rome' } }])
    const result = {
      role: 'user',
      parts: [{ functionResponse: { id: 'c1', name: 'get_time', response: { output: 'noon' } } }],
    }
    double.answer({ pieces: ['Noon.'] })
    const next = { model, contents: [user, answer.candidates?.[0]?.content, result], config: { tools } }
    expect((await models.generateContent(next)).text).toBe('Noon.')
  })

  test('Vertex: an API key alone, and a project with a token', async () => {
    const { GoogleGenAI } = await loadSdk<Sdk>('@google/genai')
    const httpOptions = { baseUrl: double.url, retryOptions: { attempts: 1 } }
    const request = { model: 'gemini-2.5-flash', contents: 'Hi' }
    double.answer({ pieces: ['Hello'] })
    const express = new GoogleGenAI({ vertexai: true, apiKey: GEMINI_KEY, httpOptions })
    expect((await express.models.generateContent(request)).text).toBe('Hello')
    expect(double.requests.at(-1)?.url).toBe(
      '/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent',
    )
    const authClient = {
      getRequestHeaders: async () => new Headers({ authorization: `Bearer ${GEMINI_TOKEN}` }),
    }
    const project = new GoogleGenAI({
      ...{ vertexai: true, project: 'my-project', location: 'europe-west4', httpOptions },
      googleAuthOptions: { authClient },
    })
    expect((await project.models.generateContent(request)).text).toBe('Hello')
    expect(double.requests.at(-1)?.url).toBe(
      '/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent',
    )
  })

  test('a refused prompt', async () => {
    double.answer({ fault: 'blocked_prompt' })
    const answer = await models.generateContent({ model: 'gemini-2.5-flash', contents: 'Hi' })
    expect(answer.promptFeedback?.blockReason).toBe('PROHIBITED_CONTENT')
  })

  test('refusals are errors with their status', async () => {
    const request = { model: 'gemini-2.5-flash', contents: 'Hi' }
    const wrong = await modelsWith('wrong')
    await expect(wrong.generateContent(request)).rejects.toMatchObject({ status: 400 })
    double.answer({ fault: 'refuse_429' })
    await expect(models.generateContent(request)).rejects.toMatchObject({ status: 429 })
    double.answer({ pieces: ['x'], fault: 'error_without_context' })
    const stream = await models.generateContentStream(request)
    await expect(drain(stream)).rejects.toThrow(/UNAVAILABLE/)
    double.answer({})
    const unknown = { ...request, config: { thinkingConfig: { thinkingLevel: 'LOW' } } }
    await expect(models.generateContent(unknown)).rejects.toMatchObject({ status: 400 })
  })
})

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
