/** What Bedrock would refuse in a body of Converse, as sentences. */
import { unknownMembers } from '../server.ts'

type Loose = Record<string, unknown>

const BODY = [
  ...[
    'messages',
    'system',
    'inferenceConfig',
    'toolConfig',
    'guardrailConfig',
    'additionalModelRequestFields',
  ],
  ...['additionalModelResponseFieldPaths', 'promptVariables', 'requestMetadata', 'performanceConfig'],
  ...['serviceTier', 'outputConfig'],
]
const USER = ['text', 'image', 'document', 'audio', 'toolResult', 'cachePoint']
const ASSISTANT = ['text', 'toolUse', 'reasoningContent', 'cachePoint']
const ID = /^[\w-]{1,64}$/

export function converseMistakes(body: Loose, model: string): string[] {
  const wrong = unknownMembers(body, 'body', BODY)
  const {
    messages,
    system,
    toolConfig,
    inferenceConfig,
    outputConfig,
    additionalModelRequestFields: more,
  } = body
  const turns = Array.isArray(messages) ? (messages as Loose[]) : []
  if (turns.length === 0) wrong.push('messages must not be empty')
  wrong.push(...turnMistakes(turns))
  if (system !== undefined) {
    for (const block of system as Loose[])
      wrong.push(...blockMistakes(block, 'system', ['text', 'cachePoint']))
  }
  const used = JSON.stringify(turns).includes('"toolUseId"')
  if (used && toolConfig === undefined)
    wrong.push('The toolConfig field must be defined when using toolUse and toolResult content blocks')
  if (toolConfig !== undefined) wrong.push(...toolMistakes(toolConfig as Loose))
  if (inferenceConfig !== undefined) wrong.push(...inferenceMistakes(inferenceConfig as Loose))
  if (outputConfig !== undefined) wrong.push(...outputMistakes(outputConfig as Loose))
  if (more !== undefined)
    wrong.push(...fieldMistakes(more as Loose, inferenceConfig as Loose | undefined, model))
  if (!/claude|nova/.test(model) && JSON.stringify(body).includes('"cachePoint"'))
    wrong.push('this model does not support prompt caching')
  return wrong
}

function turnMistakes(turns: readonly Loose[]): string[] {
  const wrong: string[] = []
  let open = new Set<unknown>()
  for (const [i, turn] of turns.entries()) {
    const { role, content } = turn
    wrong.push(...unknownMembers(turn, `messages.${i}`, ['role', 'content']))
    if (role !== (i % 2 === 0 ? 'user' : 'assistant'))
      wrong.push('roles must alternate, beginning with a user')
    const blocks = Array.isArray(content) ? (content as Loose[]) : []
    if (blocks.length === 0) wrong.push(`messages.${i}: content is empty`)
    const known = role === 'assistant' ? ASSISTANT : USER
    for (const [k, block] of blocks.entries()) {
      wrong.push(...blockMistakes(block, `messages.${i}.content.${k}`, known))
      if ('cachePoint' in block && k === 0) wrong.push('a cache point must follow content')
    }
    const results = blocks.flatMap((block) => (block['toolResult'] ? [block['toolResult'] as Loose] : []))
    for (const { toolUseId } of results) {
      if (!open.delete(toolUseId))
        wrong.push('toolResult blocks exceed the toolUse blocks of the previous turn')
    }
    if (open.size > 0) wrong.push('Expected toolResult blocks for each toolUse')
    const isResult = blocks.map(
      (block, k) => 'toolResult' in block || ('cachePoint' in block && 'toolResult' in (blocks[k - 1] ?? {})),
    )
    if (results.length > 0 && isResult.lastIndexOf(true) !== isResult.filter(Boolean).length - 1)
      wrong.push('toolResult blocks must come first')
    if (blocks.some((b) => 'document' in b) && !blocks.some((b) => 'text' in b))
      wrong.push('a document needs a text block')
    open = new Set(blocks.flatMap((b) => (b['toolUse'] ? [(b['toolUse'] as Loose)['toolUseId']] : [])))
    const last = blocks.at(-1)
    if (
      role === 'assistant' &&
      i === turns.length - 1 &&
      typeof last?.['text'] === 'string' &&
      /\s$/.test(last['text'])
    )
      wrong.push('final assistant content cannot end with trailing whitespace')
  }
  if (open.size > 0) wrong.push('Expected toolResult blocks for each toolUse')
  return wrong
}

function blockMistakes(block: Loose, at: string, known: readonly string[]): string[] {
  const names = Object.keys(block)
  if (names.length !== 1 || !known.includes(names[0] ?? '')) return [`${at}: one member of ${known.join()}`]
  const { text, image, document, audio, toolUse, toolResult, cachePoint, reasoningContent } = block as Record<
    string,
    Loose
  >
  if (text !== undefined)
    return typeof text === 'string' && String(text).trim() !== '' ? [] : [`${at}: The text field is blank`]
  if (image) return mediaMistakes(image, at, ['png', 'jpeg', 'gif', 'webp'], ['format', 'source'])
  if (audio) return mediaMistakes(audio, at, ['wav', 'mp3'], ['format', 'source'])
  if (document) {
    const wrong = mediaMistakes(
      document,
      at,
      ['pdf', 'csv', 'doc', 'docx', 'xls', 'xlsx', 'html', 'txt', 'md'],
      ['format', 'source', 'name'],
    )
    if (!/^(?!.*\s\s)[\w\s()[\]-]{1,200}$/.test(String(document['name'])))
      wrong.push(`${at}: name of the document`)
    return wrong
  }
  if (cachePoint) {
    const wrong = unknownMembers(cachePoint, `${at}.cachePoint`, ['type', 'ttl'])
    return cachePoint['type'] === 'default' ? wrong : [...wrong, `${at}: cachePoint`]
  }
  if (reasoningContent) return thoughtMistakes(reasoningContent, at)
  if (toolUse) {
    const wrong = unknownMembers(toolUse, `${at}.toolUse`, ['toolUseId', 'name', 'input'])
    if (!ID.test(String(toolUse['toolUseId']))) wrong.push(`${at}: toolUseId`)
    if (typeof toolUse['input'] !== 'object' || Array.isArray(toolUse['input'])) wrong.push(`${at}: input`)
    return wrong
  }
  if (!toolResult) return [at]
  const wrong = unknownMembers(toolResult, `${at}.toolResult`, ['toolUseId', 'content', 'status'])
  if (!ID.test(String(toolResult['toolUseId']))) wrong.push(`${at}: toolUseId`)
  if (!Array.isArray(toolResult['content'])) return [...wrong, `${at}: content`]
  const inside = toolResult['content'] as Loose[]
  return [
    ...wrong,
    ...inside.flatMap((one) => blockMistakes(one, at, ['text', 'image', 'document', 'audio'])),
  ]
}

function mediaMistakes(
  media: Loose,
  at: string,
  formats: readonly string[],
  known: readonly string[],
): string[] {
  const wrong = unknownMembers(media, at, known)
  if (!formats.includes(String(media['format']))) wrong.push(`${at}: format`)
  const source = media['source'] as Loose | undefined
  wrong.push(...unknownMembers(source, `${at}.source`, ['bytes']))
  if (!/^[\w+/-]+=*$/.test(String(source?.['bytes']))) wrong.push(`${at}: bytes`)
  return wrong
}

function thoughtMistakes(thought: Loose, at: string): string[] {
  const wrong = unknownMembers(thought, at, ['reasoningText', 'redactedContent'])
  const said = thought['reasoningText'] as Loose | undefined
  if (said && said['signature'] !== 'c2lnbmVk') wrong.push('Invalid `signature` in `thinking` block')
  return wrong
}

function toolMistakes(config: Loose): string[] {
  const wrong = unknownMembers(config, 'toolConfig', ['tools', 'toolChoice'])
  const tools = Array.isArray(config['tools']) ? (config['tools'] as Loose[]) : []
  if (tools.length === 0) wrong.push('toolConfig.tools must not be empty')
  for (const tool of tools) {
    if ('cachePoint' in tool) continue
    const spec = tool['toolSpec'] as Loose | undefined
    wrong.push(...unknownMembers(spec, 'toolSpec', ['name', 'description', 'inputSchema', 'strict']))
    if (!ID.test(String(spec?.['name']))) wrong.push('toolSpec.name')
    const schema = (spec?.['inputSchema'] as Loose | undefined)?.['json'] as Loose | undefined
    if (schema?.['type'] !== 'object') wrong.push('inputSchema.json.type must be object')
  }
  const choice = config['toolChoice'] as Loose | undefined
  if (
    choice &&
    !(Object.keys(choice).length === 1 && /^(?:auto|any|tool)$/.test(Object.keys(choice)[0] ?? ''))
  )
    wrong.push('toolChoice')
  return wrong
}

function inferenceMistakes(config: Loose): string[] {
  const wrong = unknownMembers(config, 'inferenceConfig', [
    'maxTokens',
    'temperature',
    'topP',
    'stopSequences',
  ])
  const { maxTokens, temperature } = config
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && Number(maxTokens) > 0))
    wrong.push('maxTokens')
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 1))
    wrong.push('temperature')
  return wrong
}

function outputMistakes(config: Loose): string[] {
  const wrong = unknownMembers(config, 'outputConfig', ['textFormat', 'effort'])
  const format = config['textFormat'] as Loose | undefined
  if (!format) return wrong
  const schema = ((format['structure'] as Loose | undefined)?.['jsonSchema'] as Loose | undefined)?.['schema']
  if (format['type'] !== 'json_schema' || typeof schema !== 'string') wrong.push('textFormat')
  return wrong
}

function fieldMistakes(fields: Loose, inference: Loose | undefined, model: string): string[] {
  const wrong: string[] = []
  if (/claude/.test(model)) {
    wrong.push(
      ...unknownMembers(fields, 'additionalModelRequestFields', ['thinking', 'top_k', 'anthropic_beta']),
    )
    const thinking = fields['thinking'] as Loose | undefined
    const budget = thinking?.['budget_tokens']
    if (thinking && (inference?.['temperature'] !== undefined || fields['top_k'] !== undefined))
      wrong.push('temperature and top_k may not be set when thinking is enabled')
    if (
      budget !== undefined &&
      !(Number(budget) >= 1024 && Number(budget) < Number(inference?.['maxTokens'] ?? 1e6))
    )
      wrong.push('max_tokens must be greater than thinking.budget_tokens')
  } else if (/nova/.test(model)) {
    wrong.push(
      ...unknownMembers(fields, 'additionalModelRequestFields', ['reasoningConfig', 'inferenceConfig']),
    )
  }
  return wrong
}
