/** Servers that run on one's own machine, at the port that each opens by itself. They ask for no key unless they were told to. */
import { type Mark, type Preset, preset } from './preset.ts'

function local(port: number, path: string, evidence: readonly [Mark, string]): Preset {
  return preset(`http://127.0.0.1:${port}${path}`, evidence, { key: 'optional', embeddings: 'served' })
}

export const LOCAL: Readonly<Record<string, Preset>> = {
  'docker-model-runner': local(12_434, '/engines/v1', ['R', 'addresses in public code']),
  lemonade: local(8000, '/api/v1', ['P', 'litellm 1.110']),
  'litellm-proxy': local(4000, '/v1', ['?', 'not read']),
  'llama.cpp': local(9931, '/v1', ['D', 'its server’s README at 00dc805; older builds listen at 8080']),
  llamafile: local(8080, '/v1', ['P', 'litellm 1.110; Parley’s own port is the same']),
  'lm-studio': local(1234, '/v1', ['R', 'addresses in public code']),
  localai: local(8080, '/v1', ['D', 'its docker-compose.yaml; Parley’s own port is the same']),
  ollama: local(11_434, '/v1', ['P', 'litellm 1.110']),
  sglang: local(30_000, '/v1', ['R', 'addresses in public code']),
  vllm: local(8000, '/v1', ['S', 'its cli_args.py at 0052233']),
}
