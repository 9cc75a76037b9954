/** What Google's server would refuse in a body of `generateContent`, as sentences. */
import { unknownMembers } from '../server.ts'

type Loose = Record<string, unknown>

const BODY = [
  ...['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig', 'safetySettings'],
  ...['cachedContent', 'labels', 'serviceTier'],
]
const CONFIG = [
  ...['temperature', 'topP', 'topK', 'candidateCount', 'maxOutputTokens', 'stopSequences', 'seed'],
  ...['presencePenalty', 'frequencyPenalty', 'responseMimeType', 'responseSchema', 'responseJsonSchema'],
  ...[
    'responseLogprobs',
    'logprobs',
    'thinkingConfig',
    'responseModalities',
    'mediaResolution',
    'speechConfig',
  ],
]
const DATA = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse']
const PART = [...DATA, 'thought', 'thoughtSignature', 'videoMetadata', 'partMetadata', 'mediaResolution']

export interface ModelRules {
  readonly thinks: 'level' | 'budget' | 'not'
  /** The first call of each step must be signed. */
  readonly signs: boolean
}

export function rulesOf(model: string): ModelRules {
  if (/gemini-[3-9]/.test(model)) return { thinks: 'level', signs: true }
  return { thinks: /gemini-2\.5/.test(model) ? 'budget' : 'not', signs: false }
}

export function geminiMistakes(body: Loose, rules: ModelRules): string[] {
  const wrong = unknownMembers(body, 'body', BODY)
  const { contents, systemInstruction, tools, toolConfig, generationConfig } = body
  if (!Array.isArray(contents) || contents.length === 0) wrong.push('contents are not specified')
  else wrong.push(...contentMistakes(contents as Loose[], rules))
  if (systemInstruction !== undefined) {
    wrong.push(...unknownMembers(systemInstruction, 'systemInstruction', ['role', 'parts']))
    wrong.push(...partMistakes((systemInstruction as Loose)['parts'], 'systemInstruction', ['text']))
  }
  if (tools !== undefined) wrong.push(...toolMistakes(tools))
  if (toolConfig !== undefined) wrong.push(...choiceMistakes(toolConfig as Loose, tools))
  if (generationConfig !== undefined) wrong.push(...configMistakes(generationConfig as Loose, rules))
  return wrong
}

function contentMistakes(contents: readonly Loose[], { signs }: ModelRules): string[] {
  const wrong: string[] = []
  let open: Loose[] = []
  for (const [i, content] of contents.entries()) {
    const at = `contents[${i}]`
    const { role, parts } = content
    wrong.push(...unknownMembers(content, at, ['role', 'parts']))
    if (role !== 'user' && role !== 'model') wrong.push(`${at}: please use a valid role: user, model`)
    wrong.push(
      ...partMistakes(parts, at, role === 'model' ? DATA : DATA.filter((name) => name !== 'functionCall')),
    )
    const all = Array.isArray(parts) ? (parts as Loose[]) : []
    const answers = all.flatMap((part) =>
      part['functionResponse'] ? [part['functionResponse'] as Loose] : [],
    )
    if (open.length > 0 && answers.length !== open.length)
      wrong.push('the number of function response parts is not equal to that of function call parts')
    for (const [k, { id, name }] of answers.entries()) {
      const call = open.find((one) => (id === undefined ? one === open[k] : one['id'] === id))
      if (call?.['name'] !== name) wrong.push(`${at}: a response without its call`)
    }
    const called = all.filter((part) => part['functionCall'] !== undefined)
    open = called.map((part) => part['functionCall'] as Loose)
    if (called.length > 0 && i === 0) wrong.push('a function call turn must come after a user turn')
    if (signs && called[0] && called[0]['thoughtSignature'] === undefined)
      wrong.push('Function call is missing a thought_signature in functionCall parts')
  }
  if (open.length > 0) wrong.push('a function call without its response')
  return wrong
}

function partMistakes(parts: unknown, at: string, allowed: readonly string[]): string[] {
  if (!Array.isArray(parts) || parts.length === 0) return [`${at}.parts must not be empty`]
  return (parts as Loose[]).flatMap((part) => {
    const wrong = unknownMembers(part, at, PART)
    const data = DATA.filter((name) => part[name] !== undefined)
    if (data.length !== 1 || !allowed.includes(data[0] ?? ''))
      wrong.push(`${at}: required oneof field 'data'`)
    const { text, inlineData, fileData, functionCall, functionResponse, thoughtSignature } = part
    if (text !== undefined && (typeof text !== 'string' || text === '')) wrong.push(`${at}: text is empty`)
    if (inlineData) wrong.push(...blobMistakes(inlineData as Loose, at))
    if (fileData) wrong.push(...unknownMembers(fileData, `${at}.fileData`, ['mimeType', 'fileUri']))
    if (thoughtSignature !== undefined && !/^[\w+/-]+=*$/.test(String(thoughtSignature)))
      wrong.push(`${at}: base64 decoding failed`)
    for (const [name, value, known] of [
      ['functionCall', functionCall, 'args'],
      ['functionResponse', functionResponse, 'response'],
    ] as const) {
      if (value === undefined) continue
      const fn = value as Loose
      wrong.push(...unknownMembers(fn, `${at}.${name}`, ['id', 'name', known, 'parts']))
      if (typeof fn['name'] !== 'string' || fn['name'] === '') wrong.push(`${at}.${name}: name`)
      if (typeof fn[known] !== 'object' || Array.isArray(fn[known])) wrong.push(`${at}.${name}: ${known}`)
    }
    return wrong
  })
}

function blobMistakes(blob: Loose, at: string): string[] {
  const wrong = unknownMembers(blob, `${at}.inlineData`, ['mimeType', 'data'])
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(String(blob['mimeType']))) wrong.push('Unsupported MIME type')
  if (!/^[\w+/-]+=*$/.test(String(blob['data']))) wrong.push('base64 decoding failed')
  return wrong
}

function toolMistakes(tools: unknown): string[] {
  if (!Array.isArray(tools)) return ['tools must be a list']
  return (tools as Loose[]).flatMap((tool) => {
    const wrong = unknownMembers(tool, 'tools', ['functionDeclarations', 'googleSearch', 'codeExecution'])
    const all = Array.isArray(tool['functionDeclarations']) ? (tool['functionDeclarations'] as Loose[]) : []
    for (const one of all) {
      wrong.push(
        ...unknownMembers(one, 'function', ['name', 'description', 'parameters', 'parametersJsonSchema']),
      )
      if (!/^[A-Za-z_][\w.:-]{0,127}$/.test(String(one['name']))) wrong.push('Invalid function name')
    }
    return wrong
  })
}

function choiceMistakes(config: Loose, tools: unknown): string[] {
  const wrong = unknownMembers(config, 'toolConfig', ['functionCallingConfig'])
  const choice = config['functionCallingConfig'] as Loose
  wrong.push(...unknownMembers(choice, 'functionCallingConfig', ['mode', 'allowedFunctionNames']))
  if (!['AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(String(choice['mode']))) wrong.push('mode')
  if (choice['allowedFunctionNames'] !== undefined && choice['mode'] !== 'ANY')
    wrong.push('allowedFunctionNames needs mode ANY')
  if (tools === undefined) wrong.push('Function calling config is set without function_declarations')
  return wrong
}

function configMistakes(config: Loose, { thinks }: ModelRules): string[] {
  const wrong = unknownMembers(config, 'generationConfig', CONFIG)
  const thinking = config['thinkingConfig'] as Loose | undefined
  if (thinking) {
    const known = ['includeThoughts', 'thinkingBudget', 'thinkingLevel']
    wrong.push(...unknownMembers(thinking, 'thinkingConfig', known))
    const { thinkingBudget, thinkingLevel } = thinking
    if (thinks === 'not') wrong.push('thinking is not supported by this model')
    if (thinkingLevel !== undefined && (thinks !== 'level' || thinkingBudget !== undefined))
      wrong.push('thinking level is not supported here')
    if (thinkingLevel !== undefined && !['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'].includes(String(thinkingLevel)))
      wrong.push('thinkingLevel')
  }
  const mime = config['responseMimeType']
  if ((config['responseJsonSchema'] ?? config['responseSchema']) !== undefined && mime !== 'application/json')
    wrong.push('a response schema needs application/json')
  if (config['logprobs'] !== undefined && config['responseLogprobs'] !== true)
    wrong.push('logprobs needs responseLogprobs')
  const { temperature, maxOutputTokens } = config
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 2))
    wrong.push('temperature')
  if (maxOutputTokens !== undefined && !(Number.isInteger(maxOutputTokens) && Number(maxOutputTokens) > 0))
    wrong.push('maxOutputTokens')
  return wrong
}
